import type { AnyLedgerProblem } from '../errors.js';
import { type ProblemCode, problems } from '../generated/api.js';

/** What is known of a request when something answers it, or nobody does. */
export interface Asked {
  /** Of a request that changes something; reads have none. */
  key: string | undefined;
  /** See `isOneCommand`. */
  isOne: boolean;
  /** It may have been obeyed already: an earlier attempt stayed without an answer, or the key was used before. */
  doubtful: boolean;
}

type Code = AnyLedgerProblem['code'];

/** With these the ledger answers in place of beginning with a command, or has undone it. */
const NOT_BEGUN = new Set<Code>(['overloaded', 'timeout', 'unavailable', 'closing']);

/**
 * Whether a request may have been obeyed that the ledger has answered with a problem. "No" is only said of what has
 * left no trace: a problem of the way there, such as 408 or 429, tells nothing of an attempt before it.
 */
export function mayBeObeyed({ key, isOne, doubtful }: Asked, code: Code, status: number): boolean {
  if (key === undefined) return false;
  if (!isOne) return doubtful || status >= 500;
  return doubtful ? !isDecided(code) : status >= 500 && !NOT_BEGUN.has(code);
}

/** The same for what is no answer of the ledger. Nobody passes a request on and then says that it is a bad one. */
export function mayBePassedOn({ key, doubtful }: Asked, status: number): boolean {
  return key !== undefined && (doubtful || status < 400 || status >= 500 || status === 408);
}

/** Whether the ledger has looked for what it did under the key, found nothing, and refused. */
function isDecided(code: Code): boolean {
  if (code === 'unknown-problem' || code === 'not-found') return false;
  return [404, 409, 422].includes(problems[code satisfies ProblemCode].status);
}
