import type pg from 'pg';
import type {
  AsOfThen,
  CurrentCounts,
  CurrentFilter,
  CurrentPage,
  ListedSession,
  Models,
  Newest,
  ProjectedChain,
  ProjectedPage,
  ProjectedSession,
  ProjectedTransition,
  ProjectedUsage,
  ScopePlace,
} from '#api';
import { ask, decodeEvent, refuseArchivedScope, scopeIdOf, versionKey } from '#log';
import { type RowOf } from '#postgres';
import { keysOf, type SessionId, type Status, toldBy } from '#session';
import { statement } from './statements.js';

const readSessions = statement('read_projected_sessions');
const readVersion = statement('read_projected_version');
const readChain = statement('read_projected_chain');
const readTransitions = statement('read_projected_transitions');
const readUsage = statement('read_projected_usage');

const countCurrent = statement('count_current');
const readOfVersion = statement('read_version_sessions');

/** How current sessions are listed, and what is before the first of them. */
const ORDERS = {
  newest: { read: statement('read_current_newest'), first: 'infinity' },
  oldest: { read: statement('read_current_oldest'), first: '-infinity' },
  lease: { read: statement('read_current_leased'), first: '-infinity' },
} as const;
/** Decides nothing beside those times. */
const NO_SESSION = '00000000-0000-0000-0000-000000000000';

const ABOVE_ALL_SESSIONS = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
/** Above every sequence. */
const ABOVE_ALL = Number.MAX_SAFE_INTEGER;

/**
 * Reads of the live read models, one statement each, which also tells how far they have come. The cost of a page does
 * not grow with what lies beside it. They reject with LogError `unavailable`.
 */
export class ReadModels {
  constructor(private readonly pool: pg.Pool) {}

  /** A tenant's current sessions that match, in the page's order. */
  async current(
    tenant: string,
    { environment, instance, status, projectId, before, leaseBefore, resetAdvised }: CurrentFilter,
    { order, after, limit }: CurrentPage,
  ): Promise<ListedSession[]> {
    const { read, first } = ORDERS[order];
    const { at = first, sessionId = NO_SESSION } = after ?? {};
    const filter = [environment, instance, status, projectId, before, leaseBefore, resetAdvised] as const;
    const { rows } = await ask(this.pool, read, [tenantOf(tenant), ...filter, at, sessionId, limit]);
    return rows.map(({ partition, lease_until: leaseUntil, ...row }) => ({
      ...projected(row),
      partition,
      ...(leaseUntil !== null && { leaseUntil }),
    }));
  }

  /** How many current sessions a tenant has. Reads all of them: who asks often shares the answer. */
  async counts(tenant: string): Promise<CurrentCounts> {
    const { rows } = await ask(this.pool, countCurrent, [tenantOf(tenant)]);
    const counts: CurrentCounts = { byStatus: [], byEnvironment: [] };
    for (const { of_status: ofStatus, status, environment, count } of rows) {
      if (ofStatus) counts.byStatus.push({ status: status as Status, count });
      else counts.byEnvironment.push({ ...(environment && { environment }), count });
    }
    return counts;
  }

  /** Sessions of a tenant that a version of any project was made with: of the next `limit` of anybody, the newest first. */
  async ofVersion(
    tenant: string,
    { versionId, after = ABOVE_ALL_SESSIONS, limit }: Parameters<Models['ofVersion']>[1],
  ): ReturnType<Models['ofVersion']> {
    const { rows } = await ask(this.pool, readOfVersion, [
      keysOf(tenant),
      versionKey(versionId),
      after,
      limit,
    ]);
    const last = rows.length === limit ? rows.at(-1)?.session_id : undefined;
    const ours = rows.flatMap(({ partition, session, ...row }) =>
      session === null ? [] : [{ ...projected({ ...row, session }), partition }],
    );
    return { rows: ours, ...(last && { last }) };
  }

  /** A scope's sessions that began before a sequence, the newest first; of one version of the project when given. */
  async sessions(
    { scopeKey, partition }: ScopePlace,
    { before = ABOVE_ALL, limit, versionId }: Newest & { versionId?: string | undefined },
  ): Promise<ProjectedPage<ProjectedSession>> {
    const values = [partition, scopeIdOf(scopeKey), before, limit, scopeKey] as const;
    if (versionId === undefined) return sessionPage((await ask(this.pool, readSessions, values)).rows);
    return sessionPage((await ask(this.pool, readVersion, [...values, versionKey(versionId)])).rows);
  }

  /**
   * A session of the scope and those before it in its chain; of the scope's latest when none is named. With `asOf` each
   * but the tip, which the caller knows, is as it was; rejects with ArchivedError when one has changed since, and the log
   * no longer has what it was.
   */
  async chain(
    scope: ScopePlace,
    { from, limit, asOf }: { from?: SessionId | undefined; limit: number; asOf?: AsOfThen | undefined },
  ): Promise<ProjectedChain> {
    const { scopeKey, partition } = scope;
    const until = asOf?.until ?? ABOVE_ALL;
    const values = [partition, scopeIdOf(scopeKey), from, limit, until, scopeKey] as const;
    const { rows } = await ask(this.pool, readChain, values);
    const { reached, rows: sessions } = sessionPage(rows);
    for (const [index, { changed, was }] of rows.entries()) {
      const { sessionId } = sessions[index] ?? {};
      if (!changed || sessionId === undefined || sessionId === asOf?.tip) continue;
      sessions[index] = { ...sessions[index]!, ...(await this.before(scope, sessionId, was)) };
    }
    return { reached, rows: sessions, usage: rows[0]?.usage ?? null };
  }

  /** What was used in all of a scope, as of a sequence; as in a chain's page. */
  async usage({ scopeKey, partition }: ScopePlace, until = ABOVE_ALL): Promise<ProjectedUsage> {
    const { rows } = await ask(this.pool, readUsage, [partition, scopeIdOf(scopeKey), until, scopeKey]);
    return rows[0] ?? { reached: 0, usage: null };
  }

  /** A scope's transitions before a sequence, the newest first. */
  async transitions(
    { scopeKey, partition }: ScopePlace,
    { before = ABOVE_ALL, limit }: Newest,
  ): Promise<ProjectedPage<ProjectedTransition>> {
    const values = [partition, scopeIdOf(scopeKey), before, limit, scopeKey] as const;
    const { rows } = await ask(this.pool, readTransitions, values);
    return page(rows, ({ transition, sequence }) => ({ json: transition, sequence }));
  }

  /** A session as an event left it, which may be archived. */
  private async before(
    { scopeKey, partition }: ScopePlace,
    sessionId: SessionId,
    text: string | null,
  ): Promise<Pick<ProjectedSession, 'json' | 'sequence'>> {
    if (text === null) {
      await refuseArchivedScope(this.pool, partition, scopeKey, 0);
      throw new Error(`the log of partition ${partition} does not tell what a session was`);
    }
    const { event, at, position } = decodeEvent(text);
    const session = toldBy(event, at).sessions.find((one) => one.sessionId === sessionId);
    if (!session) throw new Error(`${partition}:${position.sequence} does not tell of the session it should`);
    return { json: JSON.stringify(session), sequence: position.sequence };
  }
}

/** Every page has a row, if only to tell how far the projection has come: then all else in it is NULL. */
type Found<Row> = {
  [Column in keyof Row]: Column extends MayBeNull ? Row[Column] : NonNullable<Row[Column]>;
};
type MayBeNull = 'attributes' | 'usage' | 'changed' | 'was';

function page<Row extends { reached: number; sequence: number | null }, Shown>(
  rows: readonly Row[],
  show: (row: Found<Row>) => Shown,
): ProjectedPage<Shown> {
  const found = rows.filter((row): row is Row & Found<Row> => row.sequence !== null);
  return { reached: rows[0]?.reached ?? 0, rows: found.map(show) };
}

function sessionPage(rows: readonly RowOf<typeof readSessions>[]): ProjectedPage<ProjectedSession> {
  return page(rows, projected);
}

type FoundSession = Omit<Found<RowOf<typeof readSessions>>, 'reached'>;

function projected({
  session_id: sessionId,
  session: json,
  sequence,
  started,
  detailed,
  attributes,
}: FoundSession): ProjectedSession {
  const found: ProjectedSession = { sessionId, json, sequence, started };
  if (detailed) found.attributes = attributes ?? 'erased';
  return found;
}

/** As it stands in scope keys. */
function tenantOf(tenant: string): string {
  return keysOf(tenant).slice(0, -1);
}
