import { type Refused, refuse } from './decision.js';
import type { SessionEvent } from './events.js';
import {
  type Handle,
  type HandleChange,
  type HandleHolder,
  MOST_SESSION_HANDLES,
  type NewHandle,
} from './handles.js';
import type { Known } from './known.js';
import { about } from './rules.js';
import { currentOf, type Session } from './session.js';

/**
 * Gives a session its handles, and its scope those that bind to it. A handle is free for them if nobody has
 * it, the scope itself, or another scope that has no current session. One of an earlier session of the scope moves on to
 * the session: a provider that keeps its id names every session so. That of an invalid one stays there: it is dead.
 */
export function bindTo(
  session: Session,
  handles: readonly NewHandle[],
  known: Known,
): { session: Session; changes: HandleChange[] } | Refused {
  const changes: HandleChange[] = [];
  const bound = [...(session.handles ?? [])];
  for (const { kind, hash, binds } of handles) {
    const holder = known.handles?.get(hash);
    if (binds === 'session' && bound.some((one) => one.hash === hash)) continue;
    if (holder && !isFree(holder, binds)) {
      return refuse('handle-taken', { ...about(currentOf(known)), handle: kind });
    }
    if (binds === 'session') bound.push({ kind, hash });
    changes.push({ kind, hash, to: binds === 'scope' ? 'scope' : { sessionId: session.sessionId } });
  }
  if (bound.length > MOST_SESSION_HANDLES) return refuse('too-many-handles', about(currentOf(known)));
  return { session: bound.length > 0 ? { ...session, handles: bound } : session, changes };
}

function isFree(holder: HandleHolder, binds: NewHandle['binds']): boolean {
  if (holder.scope === 'another') return holder.idle === true;
  return holder.sessionId === undefined || (binds === 'session' && !holder.invalid);
}

/** One HandleBound for each that binds to the session. */
export function bindEach(
  session: Session,
  handles: readonly NewHandle[],
  known: Known,
): { session: Session; changes: HandleChange[]; events: SessionEvent[] } | Refused {
  const bound = bindTo(session, handles, known);
  if ('refusal' in bound) return bound;
  const events: SessionEvent[] = [];
  let after = session;
  for (const { kind, hash, to } of bound.changes) {
    if (typeof to === 'string') continue;
    const handle = { kind, hash };
    after = { ...after, revision: after.revision + 1, handles: [...(after.handles ?? []), handle] };
    events.push({ type: 'HandleBound', session: after, handle });
  }
  return { session: after, changes: bound.changes, events };
}

/** What unbinding takes away: one HandleUnbound for each that was bound to the session. */
export function unbind(current: Session, handles: readonly Handle[], known: Known) {
  const changes: HandleChange[] = [];
  const events: SessionEvent[] = [];
  let session = current;
  for (const { kind, hash } of handles) {
    const holder = known.handles?.get(hash);
    if (!holder) continue;
    if (holder.scope === 'another') {
      if (holder.idle) changes.push({ kind, hash, to: 'nothing' });
      continue;
    }
    // Of the scope or of this session; those of its past sessions are history.
    if (holder.sessionId !== undefined && holder.sessionId !== current.sessionId) continue;
    changes.push({ kind, hash, to: 'nothing' });
    if (holder.sessionId === undefined) continue;
    const { handles: before = [], ...rest } = session;
    const left = before.filter((one) => one.hash !== hash);
    session = { ...rest, revision: session.revision + 1, ...(left.length > 0 && { handles: left }) };
    events.push({ type: 'HandleUnbound', session, handle: { kind, hash } });
  }
  return { session, changes, events };
}
