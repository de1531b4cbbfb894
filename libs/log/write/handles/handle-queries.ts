import type { Submission } from '#api';
import { type Bound, ints, type RowOf, smallints, texts, uuids } from '#postgres';
import {
  type Draft,
  type Handle,
  handlesIn,
  MOST_SCOPE_HANDLES,
  type NewHandle,
  newHandlesIn,
  type ScopeKey,
  type Session,
} from '#session';
import { scopeIdOf } from '../../ids.js';
import { statement } from '../../statements.js';

const reserveHandles = statement('reserve_handles');
const loadHandles = statement('load_handles');
const loadCalledHandles = statement('load_called_handles');
const loadSalts = statement('load_handle_salts');
const loadOldest = statement('load_oldest_handles');

type Asking<One> = Bound<RowOf<One>> | undefined;
type HandleQueries = readonly [
  reserved: Asking<typeof reserveHandles>,
  held: Asking<typeof loadHandles>,
  salts: Asking<typeof loadSalts>,
  oldest: Asking<typeof loadOldest>,
];
const NO_QUERIES: HandleQueries = [undefined, undefined, undefined, undefined];

/** Queries that reserve and read the handles of a batch, in this order; none when it names no handle. */
export function handleQueries(batch: readonly Submission[]): HandleQueries {
  const bound = new Set<string>();
  const named = new Set<string>();
  const naming: Submission[] = [];
  for (const submission of batch) {
    const { command } = submission;
    for (const { hash } of newHandlesIn(command)) bound.add(hash);
    const handles = handlesIn(command);
    for (const { hash } of handles) named.add(hash);
    if (handles.length > 0) naming.push(submission);
  }
  if (named.size === 0) return NO_QUERIES;
  return [
    bound.size > 0 ? { ...reserveHandles, values: [texts([...bound])] } : undefined,
    { ...loadHandles, values: [texts([...named])] },
    { ...loadSalts, values: placesOf(naming) },
    oldestQuery(naming),
  ];
}

/** Those of sessions that a command of the batch may go back to. */
export function sessionHandlesQuery(
  sessions: readonly { scopeKey: ScopeKey; session: Session }[],
): Asking<typeof loadCalledHandles> {
  const called = sessions.flatMap(({ scopeKey, session: { handles = none } }) =>
    handles.map(({ hash }) => ({ scopeId: scopeIdOf(scopeKey), hash })),
  );
  if (called.length === 0) return undefined;
  const values = [uuids(called, ({ scopeId }) => scopeId), texts(called, ({ hash }) => hash)];
  return { ...loadCalledHandles, values };
}

/** Partition, scope and session, as far as the commands say which. */
function placesOf(naming: readonly Submission[]): Buffer[] {
  return [
    smallints(naming, ({ partition }) => partition),
    uuids(naming, ({ scopeKey }) => scopeKey && scopeIdOf(scopeKey)),
    uuids(naming, ({ command }) => ('scope' in command ? undefined : command.sessionId)),
  ];
}

/** Of those scopes that get handles, so that the oldest may have to go. */
function oldestQuery(naming: readonly Submission[]): Asking<typeof loadOldest> {
  const binding = naming.filter(({ command }) => toScope(command) > 0);
  if (binding.length === 0) return undefined;
  const values = [...placesOf(binding), ints(binding, ({ command }) => toScope(command)), MOST_SCOPE_HANDLES];
  return { ...loadOldest, values };
}

/** How many handles a command binds to its scope. */
function toScope(command: Draft): number {
  return newHandlesIn(command).filter((handle) => (handle as NewHandle).binds === 'scope').length;
}

const none: readonly Handle[] = [];
