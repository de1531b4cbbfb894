import type { HandleChange } from './handles.js';
import type { Known } from './known.js';
import { copyWithout, type Instant, type Session, type SessionId } from './session.js';

/**
 * The next session of a chain, of the same owner. It inherits what holds for the chain and its owner; what a
 * session has for itself alone, such as its version and its usage, is left behind.
 */
export function successorOf(parent: Session, sessionId: SessionId, at: Instant): Session {
  const length = parent.chainLength + 1;
  return {
    sessionId,
    epoch: parent.epoch + 1,
    revision: parent.revision + 1,
    parentId: parent.sessionId,
    chainLength: length,
    startedAt: at,
    ...(isLong(parent, length) && { resetAdvised: true }),
    ...copyWithout(parent, NOT_INHERITED),
  };
}

const NOT_INHERITED = new Set([
  'sessionId',
  'epoch',
  'revision',
  'parentId',
  'chainLength',
  'startedAt',
  'resetAdvised',
  'reason',
  'versionId',
  'handles',
  'usage',
  'recoveredFrom',
  'fromCheckpoint',
  'previousRootId',
] as const);

/** A session that inherits as much as a successor does, but starts a chain of its own and names the old one. */
export function newRootAfter(old: Session, sessionId: SessionId, at: Instant): Session {
  const { parentId, resetAdvised, chainLength, rootId, ...inherited } = successorOf(old, sessionId, at);
  return {
    ...(isLong(old, 1) && { resetAdvised: true }),
    chainLength: 1,
    rootId: sessionId,
    previousRootId: rootId,
    ...inherited,
  };
}

/**
 * A session that continues a valid one: the provider goes on where that one was, so its outside names mean the
 * new session from now on. Those that somebody has unbound meanwhile do not.
 */
export function continuing(
  valid: Session,
  session: Session,
  known: Known,
): { session: Session; changes: HandleChange[] } {
  const handles = (valid.handles ?? []).filter(({ hash }) => {
    const holder = known.handles?.get(hash);
    return holder?.scope === 'this' && holder.sessionId !== undefined;
  });
  const { sessionId } = session;
  return {
    session: {
      ...session,
      recoveredFrom: valid.sessionId,
      ...(handles.length > 0 && { handles }),
    },
    changes: handles.map((handle) => ({ ...handle, to: { sessionId } })),
  };
}

/** How many sessions back a recovery looks for a valid one. */
export const MOST_STEPS_BACK = 100;

/**
 * The nearest session before this one that was not reported invalid; `find` knows those that have ended. What a dead
 * session itself continued (`recoveredFrom`) is as dead as it is: the provider was asked for the same context.
 */
export function lastValidBefore(
  session: Session | undefined,
  find: (sessionId: SessionId) => Session | undefined,
): Session | undefined {
  let one = session;
  for (let steps = 0; steps < MOST_STEPS_BACK; steps += 1) {
    const continued = one?.recoveredFrom;
    const before = continued ?? one?.parentId;
    one = before === undefined ? undefined : find(before);
    if (!one || (!one.invalid && continued === undefined)) return one;
  }
  return undefined;
}

/** Whether the policy advises a reset at this chain length. */
export function isLong({ policy }: Pick<Session, 'policy'>, chainLength: number): boolean {
  const from = policy?.adviseAt ?? policy?.maxChainLength;
  return from !== undefined && chainLength >= from;
}

/** Whether the policy forbids any successor but a reset's. */
export function isFull({ policy, chainLength }: Session): boolean {
  return policy?.maxChainLength !== undefined && chainLength >= policy.maxChainLength;
}
