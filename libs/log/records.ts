import { ARRAY_HEADER, beginArray, NULL, type Type } from './postgres-types.js';

// Rows of a statement as one Postgres array of a composite type of the schema. The statement takes them apart:
// `insert … select * from unnest($1::ledger.event_row[])`.

/** One attribute of a composite type, of a row. */
export interface Field<Row> {
  /** The most bytes that it takes, with its header. */
  most: number | ((row: Row) => number);
  /** Returns where it ends. */
  write(to: Buffer, at: number, row: Row): number;
}

/** Length and number of fields of a record; type and length of a field. */
const RECORD = 8;
const FIELD = 8;

/** The attribute of a type that `value` finds in the row; undefined becomes NULL. */
export function field<Row, Value>(
  { oid, most, write }: Type<Value>,
  value: (row: Row) => Value | undefined,
): Field<Row> {
  return {
    most:
      typeof most === 'number'
        ? FIELD + most
        : (row) => {
            const one = value(row);
            return one === undefined ? FIELD : FIELD + most(one);
          },
    write(to, at, row) {
      const start = at + FIELD;
      const one = value(row);
      const end = one === undefined ? start : write(to, start, one);
      to.writeInt32BE(oid, at);
      to.writeInt32BE(one === undefined ? NULL : end - start, at + 4);
      return end;
    },
  };
}

/** Makes arrays of a composite type, with its attributes in order; `oid` is the type's own in this database. */
export function records<Row>(
  ...fields: readonly Field<Row>[]
): (oid: number, rows: readonly Row[]) => Buffer {
  const varying = fields.flatMap(({ most }) => (typeof most === 'number' ? [] : [most]));
  const fixed = fields.reduce((sum, { most }) => sum + (typeof most === 'number' ? most : 0), RECORD);
  return (oid, rows) => {
    let size = ARRAY_HEADER + rows.length * fixed;
    for (const row of rows) for (const most of varying) size += most(row);
    const to = Buffer.allocUnsafe(size);
    let at = beginArray(to, oid, rows.length);
    for (const row of rows) {
      const start = at;
      at += RECORD;
      for (const field of fields) at = field.write(to, at, row);
      to.writeInt32BE(at - start - 4, start);
      to.writeInt32BE(fields.length, start + 4);
    }
    return to.subarray(0, at);
  };
}
