// Generated from libs/postgres/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: b048eb2d13062bf7.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  composite_types: { row: { name: string; oid: number; attribute: string; type: number }; values: [string] };
  find_backends: { row: { server: string; pids: number[] }; values: [Buffer | readonly number[]] };
  find_unawaited_standbys: { row: { unawaited: boolean }; values: [] };
  probe_writes: { row: { read_only: boolean; sorted: number | null }; values: [] };
}
