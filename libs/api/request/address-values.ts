/**
 * Addresses carry text only: what has to be a number or a boolean is made one where it is written as one, a number in
 * decimal digits, where `-0` is none. Anything else stays text, for which a schema has words.
 */
export function fromText(type: unknown, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'boolean') return value === 'true' || (value === 'false' ? false : value);
  if (type !== 'integer' || !/^(?!-0+$)-?\d+$/.test(value)) return value;
  // What is beyond all numbers is too large, and a number all the same.
  return Math.max(-Number.MAX_VALUE, Math.min(Number(value), Number.MAX_VALUE));
}
