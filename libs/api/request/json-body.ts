import { decimalOf } from '#session';
import { ProblemError } from '../problems/problem-error.js';

/** A body as JSON says it. */
export interface JsonBody {
  value: unknown;
  /** Where a number stands that would be another one once it was read: a JSON pointer (RFC 6901). */
  inexact?: string;
}

/**
 * Reads a body. Throws `invalid-json` for what is none; `invalid-request` for an object that has a member twice, of
 * which a reader would drop one, and for names that would reach for an object's prototype. A cost is taken digit by
 * digit: one that may be another number as a double is in the value as text.
 */
export function readJson(text: string): JsonBody {
  const value = parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  // Most bodies can be seen to be harmless; the others are read again, token by token.
  if (namesIn(text) === membersOf(value, 0) && !LONG_NUMBER.test(text)) return { value };
  const { inexact, cost } = scan(text);
  if (cost !== undefined) setCost(value, cost);
  return inexact === undefined ? { value } : { value, inexact };
}

/** What is said of a number that would be changed. Attributes are at fault themselves. */
export function inexactNumber(pointer: string): ProblemError {
  const isAttribute = pointer.startsWith('/attributes');
  const wayOut = isAttribute ? 'send it as a string' : 'send fewer digits, or a string where one is taken';
  return new ProblemError(
    isAttribute ? 'invalid-attributes' : 'invalid-request',
    `the number at ${shown(pointer)} is too large, too small or too precise for a double, so it would be changed: ${wayOut}`,
  );
}

const BYTE_ORDER_MARK = 0xfeff;
/** Up to 15 digits without an exponent stay what they are. */
const LONG_NUMBER = /[:[,\s]-?(?:[\d.]{16}|[\d.]+[eE])/;
/** Bodies nest less deep; those that do not are told so by what keeps them. */
const DEEPEST = 32;
const QUOTE = 0x22;
const SPACE = 0x20;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError('invalid-json');
  }
}

/** How many members a text names, or more: what looks like a name in a string counts, too. */
function namesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    const before = text.charCodeAt(at - 1);
    if (before === QUOTE || before <= SPACE) count += 1;
  }
  return count;
}

/** How many members a value has, with all in it; NaN when somebody has to look closer. */
function membersOf(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > DEEPEST) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += membersOf(item, depth + 1);
    return count;
  }
  for (const name in value) {
    if (name === '__proto__' || name === 'constructor') return Number.NaN;
    count += 1 + membersOf((value as Record<string, unknown>)[name], depth + 1);
  }
  return count;
}

const TOKEN = /[{}[\],]|"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/** An object or an array that the scan is in. */
interface Frame {
  /** Those of an object so far. */
  names?: Set<string>;
  /** The member or item at hand; undefined before a name. */
  at: string | number | undefined;
}

/** What a closer look at a body finds. */
interface Found {
  /** The place of the first number that would be changed. */
  inexact?: string;
  /** The number at `/usage/cost/amount`, unless it is written as JavaScript would. */
  cost?: string;
}

/** Looks at every name and number of a text that is JSON. */
function scan(text: string): Found {
  const frames: Frame[] = [];
  const found: Found = {};
  for (const [token] of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    switch (token[0]) {
      case '{':
        frames.push({ names: new Set(), at: undefined });
        break;
      case '[':
        frames.push({ at: 0 });
        break;
      case '}':
      case ']':
        frames.pop();
        break;
      case ',':
        if (frame) frame.at = typeof frame.at === 'number' ? frame.at + 1 : undefined;
        break;
      case '"':
        if (frame?.names && frame.at === undefined) name(token, frame.names, frames);
        break;
      default:
        if (String(Number(token)) === token) break; // as most programs write it
        if (isCost(frames)) found.cost = token;
        else if (found.inexact === undefined && !isExact(token)) found.inexact = pointerOf(frames);
    }
  }
  return found;
}

const COST = ['usage', 'cost', 'amount'];

function isCost(frames: readonly Frame[]): boolean {
  return frames.length === COST.length && frames.every(({ at }, index) => at === COST[index]);
}

/** Of a body whose text has a number there. */
function setCost(body: unknown, amount: string): void {
  (body as { usage: { cost: { amount: unknown } } }).usage.cost.amount = amount;
}

/** Takes a member's name. */
function name(token: string, names: Set<string>, frames: Frame[]): void {
  const text: string = token.includes('\\') ? JSON.parse(token) : token.slice(1, -1);
  const frame = frames.at(-1) as Frame;
  frame.at = text;
  if (names.has(text)) refuse(frames, 'is there twice, so its value is ambiguous: send it once');
  names.add(text);
  const isPrototype = text === 'prototype' && frames.at(-2)?.at === 'constructor';
  if (text === '__proto__' || isPrototype) {
    refuse(
      frames,
      'has a name that would change an object of the program that reads it: choose another name',
    );
  }
}

function refuse(frames: readonly Frame[], why: string): never {
  throw new ProblemError('invalid-request', `the member at ${shown(pointerOf(frames))} ${why}`);
}

/** Whether what JavaScript makes of a number has the very value that was written. */
function isExact(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  const written = decimalOf(token);
  // As shortest, or with 17 digits, as C's %.17g writes a double: either way it is that very double.
  return [String(value), value.toPrecision(17)]
    .map(decimalOf)
    .some((read) => written.digits === read.digits && written.exponent === read.exponent);
}

function pointerOf(frames: readonly Frame[]): string {
  return frames.map(({ at }) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A pointer may be as long as the body. */
function shown(pointer: string): string {
  return pointer.length > MOST_SHOWN ? `${pointer.slice(0, MOST_SHOWN)}…` : pointer;
}

const MOST_SHOWN = 128;
