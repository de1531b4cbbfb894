import type { RefusalCode } from './refusals.js';
import type { Epoch, Session } from './session.js';

/** Something that should mean a session: an outside name, or a reference of session and epoch. */
export interface Candidate {
  /** Given by a reference; a name has none. */
  epoch?: Epoch;
  /** What it means, and the latest session of that scope; absent when nobody knows it. */
  meant?: { session: Session; latest: Session };
}

/** Why candidates mean no session, and which of them (counted from 0) is at fault. */
export interface Unresolved {
  code:
    | Extract<RefusalCode, 'stale-session' | 'stale-epoch' | 'future-epoch' | 'session-ended'>
    | 'unknown-handle'
    | 'unknown-session'
    | 'session-mismatch';
  candidate: number;
  current?: Session;
}

/** The session, and which candidates (counted from 0) are names that nobody has bound. */
export type Resolution = { session: Session; unknown: number[] } | Unresolved;

/**
 * The one session that all candidates mean. A name that nobody has bound is passed over if another candidate is
 * known; a reference that is unknown or stale is not. With `override` the first candidate decides alone. Pure.
 */
export function resolve(candidates: readonly Candidate[], override = false): Resolution {
  const unknown: number[] = [];
  let found: Session | undefined;
  for (const [index, candidate] of (override ? candidates.slice(0, 1) : candidates).entries()) {
    if (!candidate.meant && candidate.epoch === undefined) {
      unknown.push(index);
      continue;
    }
    const one = resolveOne(candidate);
    if ('code' in one) return { candidate: index, ...one };
    if (found && found.sessionId !== one.sessionId) return { code: 'session-mismatch', candidate: index };
    found ??= one;
  }
  return found ? { session: found, unknown } : { code: 'unknown-handle', candidate: unknown[0] ?? 0 };
}

function resolveOne({ epoch, meant }: Candidate): Session | Omit<Unresolved, 'candidate'> {
  if (!meant) return { code: 'unknown-session' };
  const { session, latest } = meant;
  const current = latest.status === 'ended' ? undefined : latest;
  const beside = current && { current };
  if (epoch !== undefined && epoch > latest.epoch) return { code: 'future-epoch', ...beside };
  if (!current) return { code: 'session-ended' };
  if (current.sessionId !== session.sessionId) return { code: 'stale-session', current };
  if (epoch !== undefined && epoch < current.epoch) return { code: 'stale-epoch', current };
  return current;
}
