// Values in Postgres' binary form, as its own `_send` functions write them: nothing has to be quoted here or parsed
// there, and no text is made that would only be thrown away.

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
export const NULL = -1;
/** The most bytes that stand before an array's elements. */
export const ARRAY_HEADER = 20;

/** Writes what stands before the elements of an array of `length` values of a type; returns where they begin. */
export function beginArray(to: Buffer, oid: number, length: number): number {
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
export const smallint: Type<number> = {
  oid: 21,
  most: 2,
  write: (to, at, value) => to.writeInt16BE(whole(value, 2 ** 15), at),
};

/** -2^31 to 2^31 - 1. */
export const int: Type<number> = {
  oid: 23,
  most: 4,
  write: (to, at, value) => to.writeInt32BE(whole(value, 2 ** 31), at),
};

/** Whole numbers that a JavaScript number holds exactly. */
export const bigint: Type<number> = {
  oid: 20,
  most: 8,
  write: (to, at, value) => writeBigint(to, at, whole(value, Number.MAX_SAFE_INTEGER + 1)),
};

export const boolean: Type<boolean> = {
  oid: 16,
  most: 1,
  write: (to, at, value) => to.writeUInt8(value ? 1 : 0, at),
};

/** 2000-01-01, from where Postgres counts its microseconds. */
const EPOCH = Date.UTC(2000);

/** Times as `Date.toISOString` writes them. */
export const timestamptz: Type<string> = {
  oid: 1184,
  most: 8,
  write: (to, at, value) => writeBigint(to, at, whole((Date.parse(value) - EPOCH) * 1_000, 2 ** 53)),
};

/** 32 hex digits, with or without hyphens. */
export const uuid: Type<string> = { oid: 2950, most: 16, write: writeUuid };

/** Any text, in which Postgres refuses U+0000 alone. */
export const text = {
  oid: 25,
  most: (value) => value.length * 3, // no UTF-16 code unit takes more bytes in UTF-8
  write: (to, at, value) => at + to.write(value, at),
} satisfies Type<string>;

export const bytea: Type<Buffer> = {
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
