// Generated from libs/archive/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: b6280a7c17418791.
import type { ScopeKey } from '#session';

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  find_first_event: { row: { first: number | null }; values: [number] };
  is_before: { row: { before: boolean }; values: [number, number, Date | string] };
  lock_archiver: { row: { locked: boolean }; values: [] };
  read_archivable: {
    row: {
      partition: number;
      sequence: number;
      head_frontier: Buffer;
      epoch: number;
      confirmed: number;
      archived: number;
      frontier: Buffer;
    };
    values: [];
  };
  read_cutoff: { row: { cutoff: string }; values: [number] };
  read_ledger_id: { row: { id: string }; values: [] };
  read_log: {
    row: { sequence: number; version: number; type: string; scope_key: ScopeKey; bytes: Buffer; at: number };
    values: [number, number, number];
  };
  read_segment: { row: { sequence: number; epoch: number; text: string }; values: [number, number, number] };
  read_states: {
    row: { scope_id: string; scope_key: ScopeKey; version: number; latest: string };
    values: [number, string, number];
  };
  read_tree: { row: { sequence: number; frontier: Buffer }; values: [number] };
  record_archive: {
    row: never;
    values: [number, number, number, string, number, Buffer, Buffer, Buffer | readonly number[], Buffer];
  };
  remove_archived: { row: never; values: [number, number, number] };
}
