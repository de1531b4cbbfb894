import { MOST_ATTRIBUTE_BYTES } from '#session';
import type { Problem } from '../problems/problem-body.js';
import { ProblemError } from '../problems/problem-error.js';

const MOST_DEPTH = 8;

/** The attributes' JSON. Throws `invalid-attributes` over 4 KiB, nested over 8 deep, or with what JSON cannot keep. */
export function attributesJson(attributes: object): string {
  check(attributes, 1); // first: JSON.stringify fails on what is nested some thousand deep
  const json = JSON.stringify(attributes);
  const tooLarge = attributesTooLarge(Buffer.byteLength(json));
  if (tooLarge) throw new ProblemError(tooLarge.code, tooLarge.detail);
  return json;
}

/** Why attributes of so many bytes as JSON cannot be kept; undefined when they can. */
export function attributesTooLarge(bytes: number): Problem | undefined {
  if (bytes <= MOST_ATTRIBUTE_BYTES) return undefined;
  const detail = `attributes come to ${bytes} bytes as JSON; at most ${MOST_ATTRIBUTE_BYTES} are kept`;
  return { code: 'invalid-attributes', detail };
}

function check(value: unknown, depth: number): void {
  if (typeof value === 'string') checkText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new ProblemError('invalid-attributes', 'attributes hold a number that is too large');
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth > MOST_DEPTH) {
    throw new ProblemError('invalid-attributes', `attributes are nested over ${MOST_DEPTH} deep`);
  }
  for (const [name, inner] of Object.entries(value)) {
    checkText(name);
    check(inner, depth + 1);
  }
}

function checkText(text: string): void {
  if (text.isWellFormed() && !text.includes('\0')) return;
  throw new ProblemError('invalid-attributes', 'attributes hold a NUL character or half of a surrogate pair');
}
