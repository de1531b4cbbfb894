// Generated from libs/proofs/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: 7042090e62e87c5c.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  check_tiles: {
    row: { level: number; index: number; root: Buffer; hashes: Buffer; wanted: Buffer | null };
    values: [number, number, number, number];
  };
  count_tiles: { row: { level: number; tiles: number }; values: [number] };
  find_missing_tiles: { row: { level: number; index: number }; values: [number, number] };
  find_unkept: { row: { partition: number; size: number; frontier: Buffer }; values: [number] };
  gather_tile: { row: { hashes: Buffer | null }; values: [number, number, number] };
  insert_tile: { row: never; values: [number, number, number, Buffer, Buffer] };
  keep_checkpoint: { row: never; values: [number, number, string] };
  read_kept_checkpoints: {
    row: { size: number; kept_at: Date; note: string };
    values: [number, number, number];
  };
  read_tiles: {
    row: { hashes: Buffer | null };
    values: [number, Buffer | readonly number[], Buffer | readonly number[], Buffer | readonly number[]];
  };
  read_tree_heads: { row: { partition: number; sequence: number; frontier: Buffer }; values: [] };
  remove_tiles: { row: never; values: [number] };
}
