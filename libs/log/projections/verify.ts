import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { listArchives } from '../archive/archives.js';
import { ArchiveError } from '../archive/errors.js';
import { list, listOf, statement } from '../statements.js';
import { foldSessions, versionKey } from './sessions/fold.js';
import { type PlacedTold, readTold, type StoredEvent, UnprojectableEvent } from './stored-event.js';
import { foldTransitions, transitionKey } from './transitions/fold.js';

const readLiveGeneration = statement('read_live_generation');
const readLog = statement('read_log_until');
const findSessions = statement('find_projected_sessions');
const findTransitions = statement('find_projected_transitions');
const pageSessions = statement('page_projected_sessions');
const pageTransitions = statement('page_projected_transitions');

const PAGE = 1_000;
const NIL = '00000000-0000-0000-0000-000000000000';

export interface VerifyOptions {
  pool: pg.Pool;
  onProgress?(progress: VerifyProgress): void;
  /** Hears every difference; there may be as many as there are rows. */
  onDifference(difference: Difference): void;
  signal?: AbortSignal;
}

export interface VerifyProgress {
  partition: number;
  partitions: number;
  events: number;
  rows: number;
}

/** A row that is not what the log folds to. */
export interface Difference {
  model: 'sessions' | 'transitions';
  /** `missing`: no row for what the log says. `stale`: an event that it does not show. `wrong`: not what its event says. */
  kind: 'missing' | 'stale' | 'wrong';
  partition: number;
  /** Of the event that tells; for `wrong` of the one that the row names. */
  sequence: number;
  sessionId: string;
}

/**
 * Folds the log again and compares it with the live read models, row by row, up to where they stood when it began.
 * Reads only, in pages, while everything goes on. A row is right when its event says just this, and no other event says
 * more. Throws UnprojectableEvent for an event that this version does not understand, and an Error when the models
 * were rebuilt meanwhile, and ArchiveError `log` once anything was archived: then only a rebuild is sure.
 */
export async function verifyProjections(options: VerifyOptions): Promise<{ events: number; rows: number }> {
  const { rows: parts } = await options.pool.query(readLiveGeneration);
  for (const { partition } of parts) {
    if ((await listArchives(options.pool, partition, 0, 1)).length === 0) continue;
    throw new ArchiveError(
      'log',
      'The table no longer has all events to compare with: rebuild from the archives instead.',
    );
  }
  const totals = { events: 0, rows: 0 };
  for (const { generation, partition, sequence } of parts) {
    const report = () => options.onProgress?.({ partition, partitions: parts.length, ...totals });
    const part = new Part(options, { generation, partition });
    for await (const events of part.eventsUpTo(sequence)) {
      totals.events += events;
      report();
    }
    for await (const rows of part.rows()) {
      totals.rows += rows;
      report();
    }
  }
  const { rows: now } = await options.pool.query(readLiveGeneration);
  if (now[0]?.generation !== parts[0]?.generation)
    throw new Error('the read models were rebuilt: verify again');
  return totals;
}

class Part {
  constructor(
    private readonly options: VerifyOptions,
    private readonly at: { generation: number; partition: number },
  ) {}

  /** From the log to the rows: what it says has a row, which comes from no other event than the one that counts. */
  async *eventsUpTo(until: number): AsyncGenerator<number> {
    const { partition } = this.at;
    for (let after = 0; after < until; ) {
      const rows = await this.read(readLog, [partition, after, PAGE, until]);
      if (rows[0]?.sequence !== after + 1) {
        throw new UnprojectableEvent(partition, after + 1, 'it is missing in the log');
      }
      const told = rows.map((row) => readTold(partition, stored(row)));
      await this.checkSessions(told);
      await this.checkTransitions(told);
      after += rows.length;
      yield rows.length;
    }
  }

  /** From the rows to the log: each is just what its event says. */
  async *rows(): AsyncGenerator<number> {
    const { partition, generation } = this.at;
    for (let after = NIL; ; ) {
      const rows = await this.read(pageSessions, [partition, generation, after, PAGE]);
      for (const row of rows) if (!isSession(row, this.toldBy(row))) this.differ('sessions', 'wrong', row);
      yield rows.length;
      if (rows.length < PAGE) break;
      after = rows.at(-1).session_id;
    }
    for (let after = { session_id: NIL, came: false }; ; ) {
      const values = [partition, generation, after.session_id, after.came, PAGE];
      const rows = await this.read(pageTransitions, values);
      for (const row of rows)
        if (!isTransition(row, this.toldBy(row))) this.differ('transitions', 'wrong', row);
      yield rows.length;
      if (rows.length < PAGE) break;
      after = rows.at(-1);
    }
  }

  private async checkSessions(told: readonly PlacedTold[]): Promise<void> {
    const folded = foldSessions(told);
    const { partition, generation } = this.at;
    const rows = await this.read(findSessions, [partition, generation, listOf(folded.keys())]);
    const found = new Map(rows.map((row) => [row.session_id, row]));
    for (const { sessionId: session_id, sequence, started } of folded.values()) {
      const row = found.get(session_id);
      if (!row) this.differ('sessions', 'missing', { session_id, sequence });
      else if (row.sequence < sequence) this.differ('sessions', 'stale', { session_id, sequence });
      else if (started !== undefined && row.started !== started)
        this.differ('sessions', 'wrong', { session_id, sequence: started });
    }
  }

  private async checkTransitions(told: readonly PlacedTold[]): Promise<void> {
    const folded = foldTransitions(told);
    const keys = [...folded.values()];
    const { partition, generation } = this.at;
    const values = [partition, generation, list(keys, (one) => one.sessionId), list(keys, (one) => one.came)];
    const rows = await this.read(findTransitions, values);
    const found = new Map(
      rows.map((row) => [transitionKey({ sessionId: row.session_id, came: row.came }), row]),
    );
    for (const [key, { sessionId: session_id, sequence }] of folded) {
      const row = found.get(key);
      if (!row) this.differ('transitions', 'missing', { session_id, sequence });
      else if (row.sequence > sequence) this.differ('transitions', 'stale', { session_id, sequence });
    }
  }

  /** What the event says that a row names; undefined when there is none of its scope. */
  private toldBy(row: RowWithEvent): PlacedTold | undefined {
    if (!row.bytes || row.event_scope_id !== row.scope_id) return undefined;
    return readTold(this.at.partition, {
      sequence: row.sequence,
      scopeId: row.scope_id,
      text: row.bytes.toString('utf8'),
    });
  }

  private differ(
    model: Difference['model'],
    kind: Difference['kind'],
    { session_id, sequence }: { session_id: string; sequence: number },
  ): void {
    const { partition } = this.at;
    this.options.onDifference({ model, kind, partition, sequence, sessionId: session_id });
  }

  private async read(query: { name: string; text: string }, values: unknown[]) {
    this.options.signal?.throwIfAborted();
    return (await this.options.pool.query({ ...query, values })).rows;
  }
}

interface RowWithEvent {
  session_id: string;
  scope_id: string;
  sequence: number;
  event_scope_id: string | null;
  bytes: Buffer | null;
}

function stored(row: { sequence: number; scope_id: string; bytes: Buffer }): StoredEvent {
  return { sequence: row.sequence, scopeId: row.scope_id, text: row.bytes.toString('utf8') };
}

interface StoredSession extends RowWithEvent {
  parent_id: string | null;
  version_key: string | null;
  attributes_digest: string | null;
  session: string;
}

function isSession(row: StoredSession, told: PlacedTold | undefined): boolean {
  const session = told?.sessions.find(({ sessionId }) => sessionId === row.session_id);
  if (!session) return false;
  const { parentId = null, versionId, attributesDigest = null } = session;
  const said = [row.session, row.parent_id, row.version_key?.replaceAll('-', ''), row.attributes_digest];
  const key = versionId === undefined ? undefined : versionKey(versionId);
  return isDeepStrictEqual(said, [JSON.stringify(session), parentId, key, attributesDigest]);
}

function isTransition(
  row: RowWithEvent & { came: boolean; transition: string },
  told: PlacedTold | undefined,
): boolean {
  const folded = told && [...foldTransitions([told]).values()][0];
  return (
    folded?.sessionId === row.session_id &&
    folded.came === row.came &&
    JSON.stringify(folded.transition) === row.transition
  );
}
