import type { Composite } from './composites.js';

// What goes to Postgres in its binary form, as its own `_send` functions write it: values, columns of them, and rows as
// records. Nothing has to be quoted here or parsed there, and no text is made that would only be thrown away.

/** How a type's values are written. */
export interface Type<Value> {
  /** From pg_type, the same in every Postgres. */
  oid: number;
  /** The most bytes that a value takes. */
  most: number | ((value: Value) => number);
  /** Returns where the value ends. */
  write(to: Buffer, at: number, value: Value): number;
}

/** The length of a value that is NULL. */
const NULL = -1;
/** The most bytes that stand before an array's elements. */
const ARRAY_HEADER = 20;

/** Writes what stands before the elements of an array of `length` values of a type; returns where they begin. */
function beginArray(to: Buffer, oid: number, length: number): number {
  to.writeInt32BE(length === 0 ? 0 : 1, 0); // dimensions
  to.writeInt32BE(1, 4); // NULL may occur
  to.writeUInt32BE(oid, 8);
  if (length === 0) return 12;
  to.writeInt32BE(length, 12);
  to.writeInt32BE(1, 16); // the first index
  return ARRAY_HEADER;
}

/** A value that its column cannot hold: told as Postgres tells it of a parameter, so that it fails its command alone. */
class InvalidValue extends Error {
  readonly code = '22P02';
  readonly severity = 'ERROR';
}

/** -2^15 to 2^15 - 1. */
const smallint: Type<number> = {
  oid: 21,
  most: 2,
  write: (to, at, value) => to.writeInt16BE(whole(value, 2 ** 15), at),
};

/** -2^31 to 2^31 - 1. */
const int: Type<number> = {
  oid: 23,
  most: 4,
  write: (to, at, value) => to.writeInt32BE(whole(value, 2 ** 31), at),
};

/** Whole numbers that a JavaScript number holds exactly. */
const bigint: Type<number> = {
  oid: 20,
  most: 8,
  write: (to, at, value) => writeBigint(to, at, whole(value, Number.MAX_SAFE_INTEGER + 1)),
};

const boolean: Type<boolean> = {
  oid: 16,
  most: 1,
  write: (to, at, value) => to.writeUInt8(value ? 1 : 0, at),
};

/** 2000-01-01, from where Postgres counts its microseconds. */
const EPOCH = Date.UTC(2000);

/** Times as `Date.toISOString` writes them. */
const timestamptz: Type<string> = {
  oid: 1184,
  most: 8,
  write: (to, at, value) => writeBigint(to, at, whole((Date.parse(value) - EPOCH) * 1_000, 2 ** 53)),
};

/** 32 hex digits, with or without hyphens. */
const uuid: Type<string> = { oid: 2950, most: 16, write: writeUuid };

/** Any text, in which Postgres refuses U+0000 alone. */
const text = {
  oid: 25,
  most: (value) => value.length * 3, // no UTF-16 code unit takes more bytes in UTF-8
  write: (to, at, value) => at + to.write(value, at),
} satisfies Type<string>;

const bytea: Type<Buffer> = {
  oid: 17,
  most: (value) => value.length,
  write: (to, at, value) => at + value.copy(to, at),
};

function whole(value: number, limit: number): number {
  if (Number.isInteger(value) && value >= -limit && value < limit) return value;
  throw new InvalidValue('a number is not whole, or out of range for its column');
}

function writeBigint(to: Buffer, at: number, value: number): number {
  to.writeInt32BE(Math.floor(value / 2 ** 32), at);
  return to.writeUInt32BE(value >>> 0, at + 4);
}

/** The value of each hex digit by its character code, above 15 for what is none. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? 255 : value;
});
const HYPHEN = 45;

function writeUuid(to: Buffer, at: number, value: string): number {
  let from = 0;
  for (let byte = 0; byte < 16; byte++) {
    if (value.charCodeAt(from) === HYPHEN) from++;
    const [high, low] = [DIGITS[value.charCodeAt(from++)] ?? 255, DIGITS[value.charCodeAt(from++)] ?? 255];
    if (high > 15 || low > 15) throw new InvalidValue('a UUID has other characters than hex digits');
    to[at + byte] = (high << 4) | low;
  }
  if (from !== value.length) throw new InvalidValue('a UUID is too long');
  return at + 16;
}

/** By their names in Postgres. */
export const types = { smallint, int, bigint, boolean, timestamptz, uuid, text, bytea };

// Columns of a statement's rows as Postgres arrays. The statement names each column's type: `$1::uuid[]`.

/** Makes an array of a type: of the values themselves, or of one of each row; undefined becomes NULL. */
interface Column<Value> {
  (values: readonly Value[]): Buffer;
  <Row>(rows: readonly Row[], value: (row: Row) => Value | undefined): Buffer;
}

const LENGTH = 4;

function column<Value>({ oid, most, write }: Type<Value>): Column<Value> {
  return <Row>(rows: readonly Row[], value?: (row: Row) => Value | undefined): Buffer => {
    const values = value ? rows.map(value) : (rows as readonly unknown[] as readonly Value[]);
    let size = ARRAY_HEADER + values.length * LENGTH;
    if (typeof most === 'number') size += values.length * most;
    else for (const one of values) size += one === undefined ? 0 : most(one);
    const to = Buffer.allocUnsafe(size);
    let at = beginArray(to, oid, values.length);
    for (const one of values) {
      const start = at + LENGTH;
      const end = one === undefined ? start : write(to, start, one);
      to.writeInt32BE(one === undefined ? NULL : end - start, at);
      at = end;
    }
    return to.subarray(0, at);
  };
}

export const smallints = column(smallint);
export const ints = column(int);
export const bigints = column(bigint);
export const booleans = column(boolean);
export const timestamps = column(timestamptz);
export const uuids = column(uuid);
export const texts = column(text);
export const byteas = column(bytea);

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
