// Generated from libs/postgres/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: f9df76e3827ea49f.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  composite_types: { row: { name: string; oid: number; attribute: string; type: number }; values: [string] };
  find_backends: { row: { server: string; pids: number[] }; values: [Buffer | readonly number[]] };
  find_unawaited_standbys: { row: { unawaited: boolean }; values: [] };
  probe_writes: {
    row: { read_only: boolean; lag_seconds: number | null; sorted: number | null };
    values: [];
  };
}
