import {
  aheadOfLog,
  currentRead,
  encodePlace,
  etagOf,
  namesEtag,
  type Place,
  ProblemError,
  positionText,
} from '#protocol';
import { type Candidate, currentOf, parseScopeKey, resolve, type ScopeKey, type Session } from '#session';
import { sessionOf } from './known.js';
import { sessionAsOf } from './past.js';
import { type Answered, type Asked, type Serving, scopeKeyOf } from './serving.js';
import type { Store, StoredEvent } from './store.js';
import { RESTORES } from './streams.js';

type Reads = Pick<Serving, 'currentSession' | 'session' | 'resolve' | 'checkpoints' | 'scopeEvents'>;

/** Most sessions in one page of a user's. */
const PAGE = 100;
/** Before every scope. */
const START: Place = { partition: 0, scopeId: '' };
/** Most refusals that a session is shown with. */
const MOST_REFUSALS = 100;

/** Serves what is current, and what is known of a session or a scope. */
export function reads(store: Store): Reads {
  const shown = (session: Session) => store.details.shown(session);

  async function latest(scopeKey: ScopeKey, wait = 0, after = 0, signal?: AbortSignal) {
    const until = performance.now() + wait * 1_000;
    for (;;) {
      const found = store.scope(scopeKey)?.state.latest;
      const leftMs = until - performance.now();
      if (!signal || leftMs <= 0 || signal.aborted || (found?.revision ?? 0) !== after) return found;
      await store.changed(leftMs, signal);
      store.settle();
    }
  }

  async function current({ query, headers, signal }: Asked<'currentSession'>): Promise<Answered> {
    const read = currentRead(query, headers.get('if-none-match'));
    if (read.of === 'user') return currentOfUser(query.userId, read.after ?? START);
    const scopeKey = scopeKeyOf(query);
    if (read.of === 'past') return past(scopeKey, read.asOf);
    const { wait, after, withLease } = read;
    const found = await latest(scopeKey, wait, after, wait === undefined ? undefined : signal);
    if (!found || found.status === 'ended') return nothingCurrent(found);
    const etag = etagOf(found.revision);
    const isUnchanged = namesEtag(headers.get('if-none-match'), etag) || (wait && found.revision === after);
    const body = withLease ? leased(found, scopeKey) : shown(found);
    return { headers: withLease ? {} : { etag }, ...(isUnchanged ? { status: 304 } : { body }) };
  }

  /** With the end of its lease, where it has one that a renewal moves. */
  function leased(session: Session, scopeKey: ScopeKey): object {
    const { lease, status } = session;
    const due = store.scope(scopeKey)?.due;
    if (!lease || !due || (status !== 'active' && status !== 'starting')) return shown(session);
    return { ...shown(session), lease: { ...lease, expiresAt: due } };
  }

  function currentOfUser(userId: string, after: Place): Answered {
    const scopes = store.scopes().filter(({ scopeKey }) => parseScopeKey(scopeKey).userId === userId);
    const found = scopes.flatMap(({ number, partition, state }) => {
      const session = currentOf(state);
      const scopeId = String(number).padStart(32, '0');
      return session ? [{ session, partition, scopeId }] : [];
    });
    const isNext = ({ partition, scopeId }: Place) =>
      partition > after.partition || (partition === after.partition && scopeId > after.scopeId);
    const page = found.filter(isNext).slice(0, PAGE);
    const last = page.length === PAGE ? page.at(-1) : undefined;
    const sessions = page.map(({ session }) => shown(session));
    return { body: { sessions, ...(last && { next: encodePlace(last) }) } };
  }

  function past(scopeKey: ScopeKey, asOf: string): Answered {
    const found = sessionAsOf(store, scopeKey, asOf);
    const headers = { ...(found && { 'ledger-position': positionText(found.position) }) };
    if (!found || found.session.status === 'ended') return { headers, ...nothingCurrent(found?.session) };
    return { headers, body: shown(found.session) };
  }

  function nothingCurrent(last: Session | undefined): Answered {
    return { problem: { code: 'no-current-session', more: { ...(last && { last: shown(last) }) } } };
  }

  /** What a candidate means today. */
  function meant(candidate: Asked<'resolve'>['body']['candidates'][number]): Candidate {
    const epoch = 'epoch' in candidate && { epoch: candidate.epoch };
    const holder = 'kind' in candidate ? store.names.holderOf(store.names.handle(candidate)) : undefined;
    const id = 'kind' in candidate ? holder?.sessionId : candidate.sessionId;
    const scope = holder ? store.scope(holder.scopeKey) : store.scopeOf(id ?? '');
    const now = scope?.state.latest;
    const session = id === undefined ? now : store.session(id);
    return { ...epoch, ...(session && now && { meant: { session, latest: now } }) };
  }

  return {
    currentSession: current,
    session({ params: { sessionId } }) {
      const scope = store.scopeOf(sessionId);
      const found = store.session(sessionId);
      if (!scope || !found) throw new ProblemError('unknown-session');
      const refusals = scope.events.flatMap((stored) => refusalOf(stored, sessionId)).reverse();
      return { body: { ...shown(found), refusals: refusals.slice(0, MOST_REFUSALS) } };
    },
    resolve({ body: { candidates, override } }) {
      const resolution = resolve(candidates.map(meant), override);
      if (!('code' in resolution)) {
        const { session, unknown } = resolution;
        return { body: { session: shown(session), unknown } };
      }
      const { code, candidate, current: instead } = resolution;
      const detail = candidates.length > 1 ? `candidates.${candidate} is at fault` : undefined;
      return { problem: { code, detail, more: { candidate, ...(instead && { current: shown(instead) }) } } };
    },
    checkpoints({ query }) {
      const marked = store.scope(scopeKeyOf(query))?.events ?? [];
      const checkpoints = marked.flatMap(({ event, at: markedAt }) =>
        event.type === 'CheckpointMarked'
          ? [{ label: event.label, sessionId: sessionOf(event).sessionId, markedAt }]
          : [],
      );
      return { body: { checkpoints } };
    },
    scopeEvents({ query }) {
      const { after = 0, limit = 100 } = query;
      const { events: all = [] } = store.scope(scopeKeyOf(query)) ?? {};
      if (after > all.length) throw aheadOfLog('query.after');
      const events = all.slice(after, after + limit);
      const last = events.length === limit ? events.at(-1) : undefined;
      const headers = { 'ledger-restores': String(RESTORES) };
      return { headers, body: { events: events.map(documentOf), ...(last && { next: last.version }) } };
    },
  };
}

/** How often a stop was ignored is no part of the event, which never changes: it stands beside it. */
function documentOf({ json, count }: StoredEvent): object {
  return { ...JSON.parse(json), ...(count !== undefined && { ignoredstops: count }) };
}

function refusalOf({ event, count, partition, sequence, at }: StoredEvent, sessionId: string): object[] {
  if (event.type !== 'StopIgnored' || event.sessionId !== sessionId) return [];
  const { origin, epoch, why } = event;
  return [{ origin, epoch, why, count, position: { partition, sequence }, at }];
}
