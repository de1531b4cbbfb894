// Generated from libs/leases/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: 14a440dc2700a877.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  find_due: { row: { partition: number; session_id: string }; values: [number] };
  postpone_checks: { row: never; values: [number] };
  reaper_round: { row: never; values: [] };
  renew_leases: {
    row: { session_id: string; epoch: number; until: string };
    values: [
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
    ];
  };
}
