import type { LedgerProblem } from '../errors.js';
import type { Owner, Session } from '../generated/api.js';

/** How an owner lost its session. */
export type LossReason =
  /** Another start took its place. */
  | 'superseded'
  /** Somebody else has rotated, released, claimed or ended it. */
  | 'rotated'
  | 'released'
  | 'claimed'
  | 'ended'
  /** Its lease was over: it waits for its old owner, who may claim it, or has expired. */
  | 'lapsed'
  | 'expired'
  | 'invalid'
  | 'reset'
  /** The ledger does not know the session or its epoch: it was restored, or is another one. */
  | 'unknown-session'
  | 'future-epoch'
  /** Nobody could tell whether a rotation, release or end was obeyed: read the current session. */
  | 'unknown-outcome';

/** The end of an ownership that its owner did not ask for. */
export interface Loss {
  why: LossReason;
  sessionId: string;
  /** The epoch that counts no more. */
  epoch: number;
  /** The scope's current session: who has it now. Absent when nobody has. */
  current?: Session;
}

/** What an owner believes in. */
export interface Held {
  sessionId: string;
  epoch: number;
}

/** What the ledger says of the scope: its current session, or its last one when none is. */
export interface Seen {
  current?: Session | undefined;
  last?: Session | undefined;
}

/**
 * Whether what was seen means that the session is lost. `ask`: it is, and its own record tells how. Undefined: it
 * is held, or what was seen is older than what is known.
 */
export function lossOf({ sessionId, epoch }: Held, { current, last }: Seen): LossReason | 'ask' | undefined {
  const seen = current ?? last;
  if (!seen || seen.epoch <= epoch) return undefined;
  if (seen.sessionId !== sessionId) return 'ask';
  if (seen.status === 'ended') return seen.endCause ?? 'ended';
  if (seen.status !== 'released') return 'claimed';
  // What was given up may have an end as well, but not with its reservation.
  return seen.expiresAt !== undefined && seen.expiresAt === seen.reservedUntil ? 'lapsed' : 'released';
}

/** What it means that this is all the ledger knows for good: it was restored. Undefined: it knows the session. */
export function lossOfRestored(held: Held, seen: Seen): LossReason | 'ask' | undefined {
  const why = lossOf(held, seen);
  const known = seen.current ?? seen.last;
  if (why || (known?.sessionId === held.sessionId && known.epoch === held.epoch)) return why;
  return known?.sessionId === held.sessionId ? 'future-epoch' : 'unknown-session';
}

/** What a refused renewal means. */
export function lossOfRefusal(held: Held, { code, current }: LedgerProblem): LossReason | 'ask' | undefined {
  switch (code) {
    case 'unknown-session':
    case 'future-epoch':
      return code;
    case 'session-ended':
      return 'ask';
    case 'not-owner':
      return 'claimed';
    default:
      return lossOf(held, { current });
  }
}

/** Whether a session is plainly somebody else's. */
export function isForeign({ owner: mine }: { owner: Owner }, current: Session | undefined): boolean {
  const owner = current?.owner;
  return owner !== undefined && (owner.environment !== mine.environment || owner.instance !== mine.instance);
}
