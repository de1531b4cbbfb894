import type { JobState, Latest, Ledger, Meant } from '#api';
import { currentOf, isSelected, keysOf, parseScopeKey, type ScopeKey, timerOf } from '#session';
import { newDetails } from './details.js';
import { keys } from './keys.js';
import { hasDetails } from './known-to.js';
import { models } from './models.js';
import { pastOfScopes } from './past-of-scopes.js';
import { reports } from './reports.js';
import { Running } from './running.js';
import type { Store } from './store.js';
import type { Scope } from './stored-scope.js';
import { trees } from './trees.js';

/** Before every scope. */
const START = { partition: 0, scopeId: '' };
/** How long a job that is finished is remembered. */
const KEPT_MS = 30 * 86_400_000;

/** The ledger in memory, as the API's operations need it. */
export function inMemory(store: Store): Ledger {
  const { partitions, source } = store;
  const running = new Running();
  const ofUser = (key: ScopeKey) => {
    const { tenant, userId } = parseScopeKey(key);
    return store.scopes().filter(({ scopeKey }) => {
      const one = parseScopeKey(scopeKey);
      return one.tenant === tenant && one.userId === userId;
    });
  };
  /** What names a session of a scope. */
  const meant = (scope: Scope | undefined, sessionId: string | undefined): Meant | undefined => {
    const latest = scope?.state.latest;
    const session = sessionId === undefined ? latest : store.session(sessionId);
    return scope && latest && session && { scopeKey: scope.scopeKey, session, latest };
  };
  return {
    source,
    partitions,
    newSessionId: (partition) => store.newSessionId(partition),
    newCommandId: () => crypto.randomUUID(),
    // Nothing is hidden here, and nothing is long.
    hashOf: (name) => name,
    digest: (text) => text,
    newDetails,
    submit: async (submission) => {
      const answer = store.submit(submission);
      running.count(answer, submission.tenant);
      return answer;
    },
    async renew({ sessionId, epoch, by: { tenant, principal, operate } }) {
      const command = { type: 'RenewLease', sessionId, epoch, principal, operate } as const;
      const answer = store.submit({ command, tenant, partition: 0, commandId: '' });
      return answer.kind === 'accepted' ? store.scopeOf(sessionId)?.due : undefined;
    },
    async latest({ scopeKey }, withLease) {
      store.settle();
      return latestOf(store, scopeKey, withLease);
    },
    watch: {
      closed: false,
      // Whatever changes wakes everybody: who asked looks again.
      next: (_, ms, signal = new AbortController().signal) => store.changed(ms, signal),
    },
    history: pastOfScopes(store),
    finder: {
      async byHandle(hashes, tenant) {
        const found = hashes.flatMap((hash) => {
          const holder = store.names.holderOf(hash);
          const one = holder && meant(store.scope(holder.scopeKey), holder.sessionId);
          return one?.scopeKey.startsWith(keysOf(tenant)) ? [[hash, one] as const] : [];
        });
        return new Map(found);
      },
      async bySession(ids, tenant) {
        const found = ids.flatMap((id) => {
          const one = meant(store.scopeOf(id), id);
          return one?.scopeKey.startsWith(keysOf(tenant)) ? [[id, one] as const] : [];
        });
        return new Map(found);
      },
    },
    scopes: {
      async current(scopeKey, after = START, limit) {
        const found = ofUser(scopeKey).flatMap(({ number, partition, state }) => {
          const session = currentOf(state);
          const scopeId = number.toString(16).padStart(32, '0');
          return session ? [{ partition, scopeId, ...store.details.stored(session) }] : [];
        });
        const isNext = ({ partition, scopeId }: typeof after) =>
          partition > after.partition || (partition === after.partition && scopeId > after.scopeId);
        return found.filter(isNext).slice(0, limit);
      },
      async detailed(scopeKey, limit) {
        const found = ofUser(scopeKey).filter((scope) => hasDetails(scope, store));
        return found.slice(0, limit).map((scope) => scope.scopeKey);
      },
      async hasDetails(scopeKey) {
        const scope = store.scope(scopeKey);
        return scope !== undefined && hasDetails(scope, store);
      },
    },
    models: models(store),
    reached: {
      look: async () => new Map(store.heads().entries()),
      wait: async () => true,
      isAhead: async (partition, sequence) => sequence > store.log(partition).length,
    },
    jobs: jobs(store),
    reports: reports(store),
    keys: keys(store),
    trees: trees(store),
    running: running.running,
    tail: {
      // Memory is never restored, and nothing of it is ever archived.
      restores: 0,
      isStandby: false,
      refuseArchived: async () => {},
      heads: () => store.heads(),
      storedHeads: async () => store.heads(),
      read: async (partition, after, limit) =>
        store
          .log(partition)
          .slice(after, after + limit)
          .map(({ sequence, json }) => ({ sequence, bytes: json })),
    },
  };
}

function latestOf(store: Store, scopeKey: ScopeKey, withLease: boolean): Latest | undefined {
  const scope = store.scope(scopeKey);
  const { latest, version } = scope?.state ?? {};
  if (!scope || !latest || version === undefined) return undefined;
  const { revision, status } = latest;
  const isLeased = withLease && timerOf(latest, latest.startedAt)?.renewable;
  return {
    version,
    revision,
    ended: status === 'ended',
    ...store.details.stored(latest),
    ...(isLeased && scope.due && { due: { leaseUntil: scope.due } }),
  };
}

/** Bulk jobs. The work is done before the order is answered, though the answer is that of a new job. */
function jobs(store: Store): Ledger['jobs'] {
  const all = new Map<string, JobState>();
  const byKey = new Map<string, { fingerprint: string; id: string }>();

  function deal(job: JobState): void {
    const { id, select, tenant, principal, action, reason, counts } = job;
    const issued = { principal, operate: true, force: true } as const;
    for (const { scopeKey, state } of store.scopes()) {
      const session = currentOf(state);
      if (!session || parseScopeKey(scopeKey).tenant !== tenant || !isSelected(session, select)) continue;
      const { sessionId, epoch } = session;
      const origin = { environment: 'bulk', instance: id };
      const command =
        action === 'release'
          ? ({ type: 'ReleaseOwnership', sessionId, epoch, ...issued } as const)
          : ({ type: 'EndSession', origin, reason, sessionId, epoch, ...issued } as const);
      const answer = store.submit({ command, tenant, partition: 0, commandId: crypto.randomUUID() });
      const isChanged = answer.kind === 'accepted' && answer.outcome !== 'unchanged';
      counts.examined += 1;
      counts[isChanged ? 'changed' : 'skipped'] += 1;
    }
  }

  const isKept = ({ createdAt }: JobState) => Date.parse(createdAt) + KEPT_MS >= store.now();

  return {
    async create(order, receipt) {
      const before = receipt && byKey.get(receipt.key);
      if (before) return before.fingerprint === receipt.fingerprint ? all.get(before.id) : undefined;
      const counts = { examined: 0, changed: 0, skipped: 0, failed: 0 };
      const createdAt = new Date(store.now()).toISOString();
      const id = crypto.randomUUID();
      const created = { ...order, id, createdAt, updatedAt: createdAt, counts, after: { partition: 0 } };
      const job = { ...created, counts: { ...counts }, after: { partition: store.partitions } };
      deal(job);
      all.set(id, { ...job, finishedAt: createdAt });
      if (receipt) byKey.set(receipt.key, { fingerprint: receipt.fingerprint, id });
      return created;
    },
    async read(id, tenant) {
      const job = all.get(id);
      return job && job.tenant === tenant && isKept(job) ? job : undefined;
    },
    async list(tenant, before, limit) {
      const newest = [...all.values()].reverse().filter((job) => job.tenant === tenant && isKept(job));
      const from = before === undefined ? 0 : newest.findIndex(({ id }) => id === before) + 1;
      return newest.slice(from, from + limit);
    },
  };
}
