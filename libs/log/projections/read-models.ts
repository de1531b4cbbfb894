import type pg from 'pg';
import type { ScopeKey, SessionId } from '#session';
import { readError } from '../errors.js';
import { scopeIdOf, versionKey } from '../ids.js';
import { type Statement, statement } from '../statements.js';

const readSessions = statement('read_projected_sessions');
const readVersion = statement('read_projected_version');
const readChain = statement('read_projected_chain');
const readTransitions = statement('read_projected_transitions');

/** A scope and where it lives. */
export interface ScopePlace {
  scopeKey: ScopeKey;
  partition: number;
}

/** One page, and the sequence that the partition's projection stood at when it was read. */
export interface ProjectedPage<Row> {
  reached: number;
  rows: Row[];
}

export interface ProjectedSession {
  sessionId: SessionId;
  /** The session's JSON, without attributes. */
  json: string;
  attributes?: string | 'erased';
  /** Sequence of the last event that changed it. */
  sequence: number;
  /** Sequence of the event that began it: what the next page is asked for with. */
  started: number;
}

export interface ProjectedTransition {
  json: string;
  sequence: number;
}

/** A page of what came before a sequence; the newest when left out. */
interface Newest {
  before?: number | undefined;
  limit: number;
}

/** Above every sequence. */
const FROM_THE_NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * Reads of the live read models, one statement each, which also tells how far they have come. The cost of a page does
 * not grow with what lies beside it. They reject with LogError `unavailable`.
 */
export class ReadModels {
  constructor(private readonly pool: pg.Pool) {}

  /** A scope's sessions that began before a sequence, the newest first; of one version of the project when given. */
  async sessions(
    { scopeKey, partition }: ScopePlace,
    { before = FROM_THE_NEWEST, limit, versionId }: Newest & { versionId?: string | undefined },
  ): Promise<ProjectedPage<ProjectedSession>> {
    const values = [partition, scopeIdOf(scopeKey), before, limit];
    if (versionId === undefined) return sessionPage(await this.query(readSessions, values));
    return sessionPage(await this.query(readVersion, [...values, versionKey(versionId)]));
  }

  /** A session of the scope and those before it in its chain; of the scope's latest when none is named. */
  async chain(
    { scopeKey, partition }: ScopePlace,
    { from, limit }: { from?: SessionId | undefined; limit: number },
  ): Promise<ProjectedPage<ProjectedSession>> {
    return sessionPage(await this.query(readChain, [partition, scopeIdOf(scopeKey), from, limit]));
  }

  /** A scope's transitions before a sequence, the newest first. */
  async transitions(
    { scopeKey, partition }: ScopePlace,
    { before = FROM_THE_NEWEST, limit }: Newest,
  ): Promise<ProjectedPage<ProjectedTransition>> {
    const rows = await this.query<TransitionRow>(readTransitions, [
      partition,
      scopeIdOf(scopeKey),
      before,
      limit,
    ]);
    return page(rows, ({ transition, sequence }) => ({ json: transition, sequence }));
  }

  private async query<Row extends Reached>(query: Statement, values: unknown[]): Promise<Row[]> {
    try {
      return (await this.pool.query({ ...query, values })).rows;
    } catch (error) {
      throw readError(error);
    }
  }
}

/** Every page has a row, if only to tell how far the projection has come: then its `sequence` is null. */
interface Reached {
  reached: number;
  sequence: number | null;
}

interface SessionRow extends Reached {
  sequence: number;
  started: number;
  session_id: SessionId;
  session: string;
  detailed: boolean;
  attributes: string | null;
}

interface TransitionRow extends Reached {
  sequence: number;
  transition: string;
}

function page<Row extends Reached, Shown>(
  rows: readonly Row[],
  show: (row: Row) => Shown,
): ProjectedPage<Shown> {
  const found = rows.filter(({ sequence }) => sequence !== null);
  return { reached: rows[0]?.reached ?? 0, rows: found.map(show) };
}

function sessionPage(rows: readonly SessionRow[]): ProjectedPage<ProjectedSession> {
  return page(rows, ({ session_id: sessionId, session: json, sequence, started, detailed, attributes }) => {
    const found: ProjectedSession = { sessionId, json, sequence, started };
    if (detailed) found.attributes = attributes ?? 'erased';
    return found;
  });
}
