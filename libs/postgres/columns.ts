import * as types from './postgres-types.js';

// Columns of a statement's rows as Postgres arrays. The statement names each column's type: `$1::uuid[]`.

/** Makes an array of a type: of the values themselves, or of one of each row; undefined becomes NULL. */
interface Column<Value> {
  (values: readonly Value[]): Buffer;
  <Row>(rows: readonly Row[], value: (row: Row) => Value | undefined): Buffer;
}

const LENGTH = 4;

function column<Value>({ oid, most, write }: types.Type<Value>): Column<Value> {
  return <Row>(rows: readonly Row[], value?: (row: Row) => Value | undefined): Buffer => {
    const values = value ? rows.map(value) : (rows as readonly unknown[] as readonly Value[]);
    let size = types.ARRAY_HEADER + values.length * LENGTH;
    if (typeof most === 'number') size += values.length * most;
    else for (const one of values) size += one === undefined ? 0 : most(one);
    const to = Buffer.allocUnsafe(size);
    let at = types.beginArray(to, oid, values.length);
    for (const one of values) {
      const start = at + LENGTH;
      const end = one === undefined ? start : write(to, start, one);
      to.writeInt32BE(one === undefined ? types.NULL : end - start, at);
      at = end;
    }
    return to.subarray(0, at);
  };
}

export const smallints = column(types.smallint);
export const ints = column(types.int);
export const bigints = column(types.bigint);
export const booleans = column(types.boolean);
export const timestamps = column(types.timestamptz);
export const uuids = column(types.uuid);
export const texts = column(types.text);
export const byteas = column(types.bytea);
