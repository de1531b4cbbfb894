import type { ChangeHandles, Untimed } from './commands.js';
import { accept, type Decision, type Refused, refuse } from './decision.js';
import type { SessionEvent } from './events.js';
import type { Known } from './known.js';
import { about, fenced, isOwner } from './rules.js';
import { currentOf, type Session, type SessionId } from './session.js';

/** An outside name as the log knows it: never its value, which may be a secret. */
export interface Handle {
  /** What sort of name it is, like `mcp-transport`; stands in clear. */
  kind: string;
  /** Of its keyed hash and its scope's salt: it says nothing any more once the salt is erased. */
  hash: string;
}

/** `scope`: routing to whatever is current, no history. `session`: stays with that session, also once it has ended. */
export interface NewHandle extends Handle {
  binds: 'scope' | 'session';
}

/**
 * Who has a handle: this scope (`sessionId`: and which of its sessions; `invalid`: one that was reported so), or another
 * one. `idle`: the handle binds to that scope, which has no current session, so that it means nothing.
 */
export type HandleHolder =
  | { scope: 'this'; sessionId?: SessionId; invalid?: true }
  | { scope: 'another'; idle?: true };

/** What becomes of a handle: it names the scope, or a session, or nothing any more. */
export interface HandleChange extends Handle {
  to: 'scope' | 'nothing' | { sessionId: SessionId };
}

/** A session is bound to at most this many handles. */
export const MOST_SESSION_HANDLES = 8;
/** A scope keeps this many handles that bind to it; the next one takes the place of the oldest. */
export const MOST_SCOPE_HANDLES = 32;

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

/** Binds and unbinds handles of the current session and of its scope; first what goes, then what comes. */
export function changeHandles(command: ChangeHandles, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });
  const left = unbind(current, command.unbind, known);
  const bound = bindEach(left.session, command.bind, known);
  if ('refusal' in bound) return bound;
  const changes = [...left.changes, ...bound.changes];
  const events = [...left.events, ...bound.events];
  const outcome = changes.length === 0 ? 'unchanged' : 'changed';
  return { ...accept(outcome, bound.session, ...events), handles: changes };
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

function unbind(current: Session, handles: readonly Handle[], known: Known) {
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

const none: readonly Handle[] = [];

/** The handles that a command may bind. */
export function newHandlesIn(command: Untimed): readonly Handle[] {
  switch (command.type) {
    case 'StartSession':
      return command.handles ?? none;
    case 'RotateSession': {
      const { successorHandle, handles = none } = command;
      return successorHandle ? [successorHandle, ...handles] : handles;
    }
    case 'ChangeHandles':
      return command.bind;
    default:
      return none;
  }
}

/** All handles that a command names. */
export function handlesIn(command: Untimed): readonly Handle[] {
  return command.type === 'ChangeHandles' ? [...command.bind, ...command.unbind] : newHandlesIn(command);
}

/** The same command, with its handles under other names. */
export function renameHandles<C extends Untimed>(command: C, rename: <H extends Handle>(handle: H) => H): C {
  switch (command.type) {
    case 'StartSession':
      return command.handles ? { ...command, handles: command.handles.map(rename) } : command;
    case 'RotateSession': {
      const { successorHandle, handles } = command;
      return {
        ...command,
        ...(successorHandle && { successorHandle: rename(successorHandle) }),
        ...(handles && { handles: handles.map(rename) }),
      };
    }
    case 'ChangeHandles':
      return { ...command, bind: command.bind.map(rename), unbind: command.unbind.map(rename) };
    default:
      return command;
  }
}
