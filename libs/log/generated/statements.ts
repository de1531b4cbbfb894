// Generated from libs/log/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: 34dea19975f7e0e4.
import type { ScopeKey } from '#session';

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  acquire_relay: { row: { epoch: number; confirmed: number }; values: [number, string, number] };
  confirm_relay: { row: never; values: [number, string, number, number, number] };
  drop_reports: { row: { dropped: number }; values: [string, number, number] };
  erase_details: { row: never; values: [Buffer | readonly number[], Buffer | readonly string[]] };
  erase_handles: {
    row: never;
    values: [Buffer | readonly number[], Buffer | readonly string[], Buffer | readonly string[]];
  };
  find_archived_scope: {
    row: { version: number; next: number | null };
    values: [number, string, string, number];
  };
  find_behind_archives: {
    row: { partition: number; after: number };
    values: [Buffer | readonly number[], Buffer | readonly number[]];
  };
  find_detailed_scopes: {
    row: { partition: number; scope_key: ScopeKey };
    values: [string, string, string, number];
  };
  find_event: { row: { bytes: Buffer }; values: [number, number] };
  find_handles: {
    row: { hash: string; scope_key: ScopeKey; latest: string; session: string };
    values: [Buffer | readonly string[], string];
  };
  find_other_relay: { row: { epoch: number }; values: [number, string] };
  find_replicas: { row: { id: string }; values: [string] };
  find_role: { row: { role: string }; values: [string] };
  find_sessions: {
    row: { session_id: string; scope_key: ScopeKey; latest: string; session: string };
    values: [Buffer | readonly number[], Buffer | readonly string[], string];
  };
  find_transaction: { row: { status: string | null }; values: [string] };
  has_migrations: { row: { present: boolean }; values: [] };
  limit_lock_waits: { row: { set_config: string | null }; values: [string] };
  load_ancestors: {
    row: { session_id: string; final: string; scope_key: ScopeKey };
    values: [Buffer | readonly number[], Buffer | readonly string[], number];
  };
  load_called_handles: {
    row: {
      hash: string;
      digest: string;
      scope_id: string;
      partition: number;
      session_id: string;
      scope_key: ScopeKey;
      idle: boolean;
      invalid: boolean;
    };
    values: [Buffer | readonly string[], Buffer | readonly string[]];
  };
  load_checkpoints: {
    row: {
      scope_key: ScopeKey;
      label: string;
      session_id: string | null;
      final: string | null;
      count: number;
    };
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
    ];
  };
  load_detailed: {
    row: { scope_key: ScopeKey };
    values: [Buffer | readonly number[], Buffer | readonly string[]];
  };
  load_details: {
    row: { scope_id: string; digest: string; body: string };
    values: [Buffer | readonly number[], Buffer | readonly string[]];
  };
  load_handle_salts: {
    row: { scope_id: string; salt: Buffer };
    values: [Buffer | readonly number[], Buffer | readonly string[], Buffer | readonly string[]];
  };
  load_handles: {
    row: {
      hash: string;
      scope_id: string;
      partition: number;
      session_id: string | null;
      scope_key: ScopeKey;
      idle: boolean;
      invalid: boolean;
    };
    values: [Buffer | readonly string[]];
  };
  load_ignored_stops: {
    row: { stop_id: string; why: string; transaction: string };
    values: [Buffer | readonly number[], Buffer | readonly string[]];
  };
  load_oldest_handles: {
    row: {
      scope_id: string;
      size: number;
      hash: string | null;
      kind: string | null;
      bound_at: string | null;
    };
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      number,
    ];
  };
  load_receipts: {
    row: { key: string; fingerprint: string; scope_key: ScopeKey; text: string };
    values: [Buffer | readonly string[], Buffer | readonly string[]];
  };
  load_scopes: {
    row: { scope_key: ScopeKey; version: number; latest: string; body: string | null; due: boolean | null };
    values: [Buffer | readonly number[], Buffer | readonly string[], Buffer | readonly boolean[]];
  };
  load_sessions: {
    row: {
      session_id: string;
      scope_id: string;
      successor_id: string | null;
      final: string | null;
      successor: string | null;
      scope_key: ScopeKey;
      version: number;
      latest: string;
      body: string | null;
      due: boolean | null;
    };
    values: [Buffer | readonly number[], Buffer | readonly string[], Buffer | readonly string[]];
  };
  lock_due: {
    row: { session_id: string; over: boolean; now: number };
    values: [Buffer | readonly number[], Buffer | readonly string[]];
  };
  lock_heads: {
    row: { partition: number; sequence: number; frontier: Buffer; at: number; now: number; waited: boolean };
    values: [Buffer | readonly number[]];
  };
  lock_leases: { row: never; values: [Buffer | readonly number[], Buffer | readonly string[]] };
  look_at_heads: {
    row: { partition: number; sequence: number; restores: number; access_version: number; standby: boolean };
    values: [];
  };
  note_restore: { row: never; values: [string, number, Date | string] };
  read_archives: {
    row: {
      first: number;
      last: number;
      first_at: Date;
      last_at: Date;
      archived_at: Date;
      bytes: number;
      file: string;
      checksum: Buffer;
      newest: number;
    };
    values: [number, number, number];
  };
  read_as_of: {
    row: { future: boolean | null; until: number | null; sequence: number | null; text: string | null };
    values: [number, string, number, Date | string];
  };
  read_checkpoints: {
    row: { label: string; session_id: string; at: Date };
    values: [number, string, string];
  };
  read_clock: { row: { now: number }; values: [] };
  read_current: {
    row: {
      number: number;
      version: number;
      revision: number;
      ended: boolean;
      latest: string;
      detailed: boolean;
      attributes: string | null;
    };
    values: [Buffer | readonly number[], Buffer | readonly string[]];
  };
  read_details: {
    row: { digest: string; body: string };
    values: [number, Buffer | readonly string[], string];
  };
  read_ends: {
    row: { partition: number; bytes: Buffer };
    values: [Buffer | readonly number[], Buffer | readonly number[]];
  };
  read_feed: {
    row: { sequence: number; epoch: number; type: string; scope_key: ScopeKey; text: string };
    values: [number, number, number];
  };
  read_handle_key: { row: { handle_key: Buffer | null; handle_key_check: Buffer | null }; values: [] };
  read_heads: { row: { partition: number; sequence: number }; values: [] };
  read_identity: { row: { id: string; partitions: number }; values: [] };
  read_leased: {
    row: {
      version: number;
      revision: number;
      ended: boolean;
      latest: string;
      detailed: boolean;
      attributes: string | null;
      renewable: boolean | null;
      until: string | null;
      reserved_until: string | null;
    };
    values: [number, string];
  };
  read_out_of_sync: {
    row: {
      consumer: string;
      partition: number;
      scope_id: string;
      scope_key: ScopeKey;
      session_id: string;
      known: boolean;
      current_id: string | null;
      since: string;
      reported_at: string;
    };
    values: [string, string, string, number, string, number, number];
  };
  read_partitions: { row: { partitions: number }; values: [] };
  read_refusals: {
    row: { sequence: number; why: string; count: number; text: string | null };
    values: [number, string, number, string];
  };
  read_relays: { row: { partition: number; confirmed: number; held: boolean }; values: [] };
  read_reservations: {
    row: { number: number; until: string };
    values: [Buffer | readonly Date[], Buffer | readonly number[]];
  };
  read_schema_version: { row: { version: number }; values: [] };
  read_scope_events: {
    row: { partition: number; sequence: number; version: number; text: string; count: number | null };
    values: [string, string, number, number];
  };
  read_session: { row: { session: string; scope_key: ScopeKey }; values: [number, string, string] };
  read_snapshot: {
    row: { scope_id: string; latest: string; detailed: boolean; attributes: string | null };
    values: [number, string, number];
  };
  read_sync: {
    row: { consumer: string; in_sync: number; out_of_sync: number; unknown: number };
    values: [string, string, number];
  };
  read_user_sessions: {
    row: {
      partition: number;
      scope_id: string;
      latest: string;
      attributes_digest: string | null;
      detailed: boolean;
      attributes: string | null;
    };
    values: [string, string, string, number, string, number];
  };
  release_relay: { row: never; values: [number, string, number] };
  reserve_handles: { row: { hash: string }; values: [Buffer | readonly string[]] };
  restart_relay: { row: { epoch: number }; values: [number, string, number, number] };
  rotate_receipts: { row: { rotate_receipts: '' | null }; values: [] };
  save_batch: { row: never; values: [Buffer, Buffer, Buffer, Buffer, Buffer] };
  save_changes: { row: never; values: [Buffer, Buffer] };
  save_checkpoints: {
    row: never;
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly Date[],
    ];
  };
  save_details: {
    row: never;
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer,
      Buffer | readonly string[],
    ];
  };
  save_handle_salts: { row: never; values: [Buffer | readonly number[], Buffer | readonly string[], Buffer] };
  save_handles: {
    row: never;
    values: [
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly Date[],
    ];
  };
  save_ignored_stops: {
    row: never;
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly number[],
    ];
  };
  save_leases: {
    row: never;
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly boolean[],
      Buffer | readonly Date[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly string[],
    ];
  };
  save_reports: {
    row: { new: number };
    values: [
      string,
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
    ];
  };
  try_heads: {
    row: { partition: number; sequence: number; frontier: Buffer; at: number; now: number };
    values: [Buffer | readonly number[]];
  };
  withdraw_reports: { row: never; values: [string, string, number, string] };
}
