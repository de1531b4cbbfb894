// Generated from libs/projections/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: 2f33c9b7db32c9ac.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  add_generation: { row: { generation: number }; values: [] };
  add_positions: { row: never; values: [number] };
  count_current: {
    row: { status: string; environment: string; of_status: boolean; count: number };
    values: [string];
  };
  drop_generation: { row: never; values: [Buffer | readonly number[]] };
  drop_positions: { row: never; values: [string] };
  drop_projected_sessions: { row: never; values: [number, number, number] };
  drop_projected_transitions: { row: never; values: [number, number, number] };
  drop_projected_usage: { row: never; values: [number, number, number] };
  fetch_projected_rows: {
    row: { id: string; came: boolean | null; currency: string | null; sequence: number };
    values: [];
  };
  find_projected_sessions: {
    row: { session_id: string; scope_id: string; started: number; sequence: number };
    values: [number, number, Buffer | readonly string[]];
  };
  find_projected_transitions: {
    row: { session_id: string; came: boolean; sequence: number };
    values: [number, number, Buffer | readonly string[], Buffer | readonly boolean[]];
  };
  find_projected_usage: {
    row: { of_id: string; currency: string; sequence: number };
    values: [
      number,
      number,
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
    ];
  };
  find_retired: { row: { generation: number; partition: number }; values: [] };
  find_wrongly_listed: {
    row: { session_id: string; sequence: number; missing: boolean };
    values: [number, number];
  };
  freeze_positions: { row: { partition: number; sequence: number }; values: [] };
  hold_projected_rows: { row: never; values: [number, number] };
  is_ahead: { row: { ahead: boolean }; values: [number, number] };
  lock_generations: { row: { generation: number }; values: [] };
  lock_projection: {
    row: { partition: number; sequence: number };
    values: [Buffer | readonly number[], number];
  };
  read_current_leased: {
    row: {
      partition: number;
      session_id: string;
      session: string;
      sequence: number;
      started: number;
      detailed: boolean;
      attributes: string | null;
      lease_until: string;
    };
    values: [
      string,
      string,
      string,
      string,
      string,
      Date | string,
      Date | string,
      boolean,
      Date | string,
      string,
      number,
    ];
  };
  read_current_newest: {
    row: {
      partition: number;
      session_id: string;
      session: string;
      sequence: number;
      started: number;
      detailed: boolean;
      attributes: string | null;
      lease_until: string | null;
    };
    values: [
      string,
      string,
      string,
      string,
      string,
      Date | string,
      Date | string,
      boolean,
      Date | string,
      string,
      number,
    ];
  };
  read_current_oldest: {
    row: {
      partition: number;
      session_id: string;
      session: string;
      sequence: number;
      started: number;
      detailed: boolean;
      attributes: string | null;
      lease_until: string | null;
    };
    values: [
      string,
      string,
      string,
      string,
      string,
      Date | string,
      Date | string,
      boolean,
      Date | string,
      string,
      number,
    ];
  };
  read_live_generation: { row: { generation: number; partition: number; sequence: number }; values: [] };
  read_named_sessions: {
    row: {
      session_id: string;
      scope_id: string;
      sequence: number;
      parent_id: string | null;
      version_key: string | null;
      attributes_digest: string | null;
      session: string;
    };
    values: [number, number, Buffer | readonly string[], Buffer | readonly number[]];
  };
  read_named_transitions: {
    row: { session_id: string; scope_id: string; came: boolean; sequence: number; transition: string };
    values: [
      number,
      number,
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly boolean[],
    ];
  };
  read_named_usage: {
    row: {
      of_id: string;
      currency: string;
      sequence: number;
      operations: string;
      input_tokens: string;
      output_tokens: string;
      cached_tokens: string;
      duration_ms: string;
      cost: string;
    };
    values: [
      number,
      number,
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
    ];
  };
  read_projected_chain: {
    row: {
      reached: number;
      usage: string | null;
      session_id: string | null;
      session: string | null;
      sequence: number | null;
      started: number | null;
      detailed: boolean | null;
      attributes: string | null;
      changed: boolean | null;
      was: string | null;
    };
    values: [number, string, string, number, number, string];
  };
  read_projected_sessions: {
    row: {
      reached: number;
      session_id: string | null;
      session: string | null;
      sequence: number | null;
      started: number | null;
      detailed: boolean | null;
      attributes: string | null;
    };
    values: [number, string, number, number, string];
  };
  read_projected_transitions: {
    row: { reached: number; transition: string | null; sequence: number | null };
    values: [number, string, number, number, string];
  };
  read_projected_up_to: { row: { partition: number; sequence: number }; values: [] };
  read_projected_usage: {
    row: { reached: number; usage: string | null };
    values: [number, string, number, string];
  };
  read_projected_version: {
    row: {
      reached: number;
      session_id: string | null;
      session: string | null;
      sequence: number | null;
      started: number | null;
      detailed: boolean | null;
      attributes: string | null;
    };
    values: [number, string, number, number, string, string];
  };
  read_standing: { row: { partition: number; sequence: number; head: number }; values: [number] };
  read_unprojected: {
    row: { partition: number; sequence: number; scope_id: string; text: string };
    values: [Buffer | readonly number[], Buffer | readonly number[], number];
  };
  read_version_sessions: {
    row: {
      partition: number;
      session_id: string;
      sequence: number;
      started: number;
      session: string | null;
      detailed: boolean;
      attributes: string | null;
    };
    values: [string, string, string, number];
  };
  retire_generations: { row: never; values: [string] };
  save_projection: {
    row: never;
    values: [
      number,
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly boolean[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly string[],
    ];
  };
  save_usage: {
    row: never;
    values: [
      number,
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly string[],
    ];
  };
  swap_generation: { row: never; values: [number] };
}
