import type { Composite } from './composites.js';
import { ARRAY_HEADER, beginArray, NULL, type Type } from './postgres-types.js';

// Rows of a statement as one Postgres array of a composite type of the schema. The statement takes them apart:
// `insert … select … from unnest($1::ledger.event_row[])`.

/** One attribute of a composite type, of a row. */
export interface Field<Row> {
  /** The number of its type. */
  oid: number;
  /** The most bytes that it takes, with its header. */
  most: number | ((row: Row) => number);
  /** Returns where it ends. */
  write(to: Buffer, at: number, row: Row): number;
}

/** Makes an array of a composite type. */
export type Records<Row> = (rows: readonly Row[]) => Buffer;

/** Length and number of fields of a record; type and length of a field. */
const RECORD = 8;
const FIELD = 8;

/** The attribute of a type that `value` finds in the row; undefined becomes NULL. */
export function field<Row, Value>(
  { oid, most, write }: Type<Value>,
  value: (row: Row) => Value | undefined,
): Field<Row> {
  return {
    oid,
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

/** A composite type is not what is written to it. */
export class CompositeMismatch extends Error {
  override name = 'CompositeMismatch';
}

/**
 * What writes rows to a composite type: its attributes are matched by name, in whatever order this database has them.
 * Throws CompositeMismatch when the type has another attribute, lacks one, or has one of another type.
 */
export function records<Row>(
  { name, oid, attributes }: Composite,
  byName: Readonly<Record<string, Field<Row>>>,
): Records<Row> {
  const fields = attributes.map((attribute) => {
    const found = Object.hasOwn(byName, attribute.name) ? byName[attribute.name] : undefined;
    if (found === undefined) throw new CompositeMismatch(`${name}.${attribute.name} is not known`);
    if (found.oid !== attribute.type) {
      throw new CompositeMismatch(`${name}.${attribute.name} is of type ${attribute.type}, not ${found.oid}`);
    }
    return found;
  });
  const missing = Object.keys(byName).filter((known) => !attributes.some((one) => one.name === known));
  if (missing.length > 0) throw new CompositeMismatch(`${name} has no ${missing.join(' and no ')}`);
  return writer(oid, fields);
}

function writer<Row>(oid: number, fields: readonly Field<Row>[]): Records<Row> {
  const varying = fields.flatMap(({ most }) => (typeof most === 'number' ? [] : [most]));
  const fixed = fields.reduce((sum, { most }) => sum + (typeof most === 'number' ? most : 0), RECORD);
  return (rows) => {
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
