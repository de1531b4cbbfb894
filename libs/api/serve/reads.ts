import { type Candidate, parseScopeKey, resolve } from '#session';
import type { Answered, Asked, Serving } from '../asked.js';
import type { Caller } from '../caller.js';
import type { Latest, Ledger, Meant, Place, ScopePlace, StoredSession } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { currentRead } from '../request/current-read.js';
import { etagOf, namesEtag } from '../request/etags.js';
import { aheadOfLog } from '../request/event-ids.js';
import { encodePlace } from '../request/place.js';
import { positionText } from '../request/positions.js';
import { leasedJson, readJson, storedJson } from './answers.js';
import { eventPage } from './feed.js';
import { pastOf } from './past.js';
import { handleOf, placeOf, scopeOf } from './scopes.js';

/** Most sessions in one page of a user's. */
const PAGE = 100;
/** Most refusals that a session is shown with. */
const MOST_REFUSALS = 100;

/** What is current, and what is known of a session or a scope. */
export const reads: Pick<Serving, 'currentSession' | 'session' | 'resolve' | 'checkpoints' | 'scopeEvents'> =
  {
    currentSession(asked, ledger): Promise<Answered> {
      const { caller, query } = asked;
      const read = currentRead(query, asked.header('if-none-match'));
      if (read.of === 'user') return allOf(caller, query.userId, read.after, ledger);
      const scope = scopeOf(caller, query, ledger);
      return read.of === 'past' ? asOf(scope, read.asOf, ledger) : now(asked, read, scope, ledger);
    },
    async session({ caller, params: { sessionId } }, ledger) {
      placeOf(sessionId, ledger);
      const [found, refusals] = await Promise.all([
        ledger.history.session(sessionId, caller.tenant),
        ledger.history.refusals(sessionId, caller.tenant, MOST_REFUSALS),
      ]);
      if (!found || parseScopeKey(found.scopeKey).tenant !== caller.tenant) {
        throw new ProblemError('unknown-session');
      }
      const json = await readJson(found.session, caller.tenant, ledger);
      return { json: `${json.slice(0, -1)},"refusals":${JSON.stringify(refusals)}}` };
    },
    async checkpoints({ caller, query }, ledger) {
      const { scopeKey, partition } = scopeOf(caller, query, ledger);
      return { body: { checkpoints: await ledger.history.checkpoints(partition, scopeKey) } };
    },
    async scopeEvents({ caller, query }, ledger) {
      const { after = 0, limit = 100 } = query;
      const scope = scopeOf(caller, query, ledger);
      const { restores } = ledger.tail; // before the events, as on the feed
      const events = await ledger.history.events(scope.scopeKey, after, limit);
      if (events.length === 0 && after > 0) {
        const latest = await ledger.latest(scope, false);
        if (after > (latest?.version ?? 0)) throw aheadOfLog('query.after', ledger.tail);
      }
      // How often a stop was ignored is no part of the event, which never changes: it stands beside it.
      const shown = events.map(({ json, count }) =>
        count === undefined ? json : `${json.slice(0, -1)},"ignoredstops":${count}}`,
      );
      return eventPage(shown, events.length === limit && events.at(-1)?.version, restores);
    },
    async resolve({ caller, body: { candidates, override } }, ledger) {
      const resolution = resolve(await meant(caller, candidates, ledger), override);
      if (!('code' in resolution)) {
        const session = await readJson(resolution.session, caller.tenant, ledger);
        return { json: `{"session":${session},"unknown":${JSON.stringify(resolution.unknown)}}` };
      }
      const { code, candidate, current } = resolution;
      const detail = candidates.length > 1 ? `candidates.${candidate} is at fault` : undefined;
      const shown = current && JSON.parse(await readJson(current, caller.tenant, ledger));
      return { problem: { code, detail, more: { candidate, ...(shown && { current: shown }) } } };
    },
  };

type Now = Extract<ReturnType<typeof currentRead>, { of: 'now' }>;

async function now(
  asked: Asked<'currentSession'>,
  { wait, after, withLease }: Now,
  scope: ScopePlace,
  ledger: Ledger,
): Promise<Answered> {
  let latest = wait === undefined ? undefined : await changed(scope, after, wait, asked.gone(), ledger);
  if (wait === undefined || withLease) latest = await ledger.latest(scope, withLease);
  if (!latest || latest.ended) return noneCurrent(latest);
  const etag = etagOf(latest.revision);
  const isUnchanged = namesEtag(asked.header('if-none-match'), etag) || (wait && latest.revision === after);
  // No revision tells of a renewal.
  const headers = withLease ? {} : { etag };
  if (isUnchanged) return { status: 304, headers };
  return { headers, json: withLease ? leasedJson(latest) : storedJson(latest) };
}

/**
 * The latest session once its revision is another one than `after`, or as it is when the time is over. One below it is
 * another one, too: the ledger was restored, and who waits for the old one to change would wait for ever.
 */
async function changed(
  scope: ScopePlace,
  after: number,
  seconds: number,
  gone: AbortSignal,
  { watch, latest }: Ledger,
): Promise<Latest | undefined> {
  // Takes the waiter away that is not needed any more.
  const found = new AbortController();
  const signal = AbortSignal.any([gone, found.signal]);
  const until = performance.now() + seconds * 1_000;
  try {
    while (true) {
      const left = until - performance.now();
      const next = watch.next(scope.scopeKey, Math.max(0, left), signal);
      const session = await latest(scope, false);
      const isOver = left <= 0 || gone.aborted || watch.closed;
      if ((session?.revision ?? 0) !== after || isOver) return session;
      await next;
    }
  } finally {
    found.abort();
  }
}

function noneCurrent(last: StoredSession | undefined): Answered {
  return {
    problem: { code: 'no-current-session', more: last ? { last: JSON.parse(storedJson(last)) } : {} },
  };
}

/** All current sessions of a user, a page of them. */
async function allOf(
  caller: Caller,
  userId: string,
  after: Place | undefined,
  ledger: Ledger,
): Promise<Answered> {
  const { scopeKey } = scopeOf(caller, { userId }, ledger);
  const found = await ledger.scopes.current(scopeKey, after, PAGE);
  const last = found.length === PAGE ? found.at(-1) : undefined;
  const sessions = found.map(storedJson).join(',');
  return { json: `{"sessions":[${sessions}]${last ? `,"next":"${encodePlace(last)}"` : ''}}` };
}

/** What a reader got then. It does not change any more, so there is nothing to wait for. */
async function asOf(scope: ScopePlace, text: string, ledger: Ledger): Promise<Answered> {
  const past = await pastOf(scope, text, ledger);
  if (!past) return noneCurrent(undefined);
  const headers = { 'ledger-position': positionText(past.position) };
  if (past.session.status === 'ended') return { headers, ...noneCurrent(past) };
  return { headers, json: storedJson(past) };
}

/** What each candidate means today. Another tenant's session is unknown, whoever names it. */
async function meant(
  caller: Caller,
  asked: Asked<'resolve'>['body']['candidates'],
  ledger: Ledger,
): Promise<Candidate[]> {
  const named = asked.map((one) => ('kind' in one ? { hash: handleOf(caller, one, ledger).hash } : one));
  const hashes = named.flatMap((one) => ('hash' in one ? [one.hash] : []));
  const ids = named.flatMap((one) => ('hash' in one ? [] : [one.sessionId]));
  const [handles, sessions] = await Promise.all([
    ledger.finder.byHandle([...new Set(hashes)], caller.tenant),
    ledger.finder.bySession([...new Set(ids)], caller.tenant),
  ]);
  const isOurs = ({ scopeKey }: Meant) => parseScopeKey(scopeKey).tenant === caller.tenant;
  return named.map((one) => {
    const found = 'hash' in one ? handles.get(one.hash) : sessions.get(one.sessionId);
    return { ...('epoch' in one && { epoch: one.epoch }), ...(found && isOurs(found) && { meant: found }) };
  });
}
