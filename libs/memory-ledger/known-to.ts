import {
  type Command,
  currentOf,
  type EventOf,
  handlesIn,
  type Known,
  lastValidBefore,
  noSessionYet,
  type ScopeKey,
  type Session,
  type SessionEvent,
  type SessionId,
  sessionOf,
} from '#session';
import type { Names } from './names.js';
import type { Scope } from './stored-scope.js';

/** What is known of other sessions and scopes. */
interface Others {
  names: Names;
  session(sessionId: SessionId): Session | undefined;
  scope(scopeKey: ScopeKey): Scope | undefined;
}

/** A scope's state, and what else a command has to know, from the scope's events. */
export function knownTo(command: Command, scope: Scope, store: Others): Known {
  const { state, scopeKey } = scope;
  const known: Known = { ...state };
  const named = 'sessionId' in command ? store.session(command.sessionId) : undefined;
  if (named && named.sessionId !== state.latest?.sessionId) {
    known.past = named;
    const successor = store.session(named.successorId ?? '');
    if (successor) known.pastSuccessor = successor;
  }
  if (command.type === 'EraseScope') known.detailed = hasDetails(scope, store);
  if (command.type === 'EndSession') {
    known.ignored = eventsOf(scope, 'StopIgnored')
      .filter((event) => isSameStop(event, command))
      .map(({ why }) => why);
  }
  if (command.type === 'ReportInvalid') {
    known.reported = eventsOf(scope, 'InvalidReported').some(
      ({ session: { sessionId, epoch }, reason }) =>
        sessionId === command.sessionId && epoch === command.epoch && reason === command.reason,
    );
    const valid = lastValidBefore(state.latest, (sessionId) => ended(store.session(sessionId)));
    if (valid) known.lastValid = valid;
  }
  const label = command.type === 'MarkCheckpoint' ? command.label : fromCheckpoint(command);
  if (label !== undefined) {
    const checkpoints = eventsOf(scope, 'CheckpointMarked');
    known.checkpoints = checkpoints.length;
    const marked = checkpoints.find((event) => event.label === label);
    const checkpoint = marked && store.session(sessionOf(marked)?.sessionId ?? '');
    if (checkpoint) known.checkpoint = checkpoint;
  }
  const continued = known.checkpoint?.handles ?? known.lastValid?.handles ?? [];
  const isIdle = (key: ScopeKey) => currentOf(store.scope(key)?.state ?? noSessionYet) === undefined;
  const isInvalid = (sessionId: SessionId) => store.session(sessionId)?.invalid !== undefined;
  known.handles = store.names.seenFrom(scopeKey, [...handlesIn(command), ...continued], isIdle, isInvalid);
  return known;
}

/** Details, of any of its sessions, or handles. */
export function hasDetails({ details, scopeKey }: Scope, { names }: Pick<Others, 'names'>): boolean {
  return details.size > 0 || names.isNamed(scopeKey);
}

/** The scope's events of one type, oldest first. */
export function eventsOf<Type extends SessionEvent['type']>({ events }: Scope, type: Type): EventOf<Type>[] {
  return events.flatMap(({ event }) => (event.type === type ? [event as EventOf<Type>] : []));
}

export function isSameStop(
  { sessionId, origin, epoch }: { sessionId: SessionId; origin: Owner; epoch: number },
  other: { sessionId: SessionId; origin: Owner; epoch: number },
): boolean {
  const isSameOrigin =
    origin.environment === other.origin.environment && origin.instance === other.origin.instance;
  return isSameOrigin && sessionId === other.sessionId && epoch === other.epoch;
}

type Owner = EventOf<'StopIgnored'>['origin'];

function fromCheckpoint(command: Command): string | undefined {
  return command.type === 'StartSession' ? command.fromCheckpoint : undefined;
}

function ended(session: Session | undefined): Session | undefined {
  return session?.status === 'ended' ? session : undefined;
}
