import type pg from 'pg';
import type { Checkpoint, Past, ScopeEvent, ScopePlace, SessionRefusal } from '#api';
import { rowOf } from '#postgres';
import {
  type AsOf,
  keysOf,
  type Position,
  partitionOf,
  partitionOfSession,
  type ScopeKey,
  type Session,
  type SessionId,
  type StopIgnoredWhy,
} from '#session';
import { ask } from '../errors.js';
import { decodeEvent } from '../event-bytes.js';
import { scopeIdOf } from '../ids.js';
import { statement } from '../statements.js';
import { refuseArchivedScope } from './archives.js';
import { type SnapshotRow, Snapshots } from './snapshots.js';

const readSession = statement('read_session');
const readRefusals = statement('read_refusals');
const readDetails = statement('read_details');
const readScopeEvents = statement('read_scope_events');
const readCheckpoints = statement('read_checkpoints');
const readPartitions = statement('read_partitions');
const readAsOf = statement('read_as_of');

/** Reads of what is stored, one query each. They reject with LogError `unavailable`. */
export class History {
  private partitions: number | undefined;

  private readonly snapshots: Snapshots;

  /** `snapshots`: of those; all are read from `pool` when left out. */
  constructor(
    private readonly pool: pg.Pool,
    snapshots = new Snapshots(pool),
  ) {
    this.snapshots = snapshots;
  }

  /** A tenant's session and its scope; undefined when it has none of this id. */
  async session(
    sessionId: SessionId,
    tenant: string,
  ): Promise<{ session: Session; scopeKey: ScopeKey } | undefined> {
    const { rows } = await ask(this.pool, readSession, [
      partitionOfSession(sessionId),
      sessionId,
      keysOf(tenant),
    ]);
    return rows[0] && { session: JSON.parse(rows[0].session), scopeKey: rows[0].scope_key };
  }

  /** The stops of a tenant's session that were not obeyed, the newest first, at most `limit`. */
  async refusals(sessionId: SessionId, tenant: string, limit: number): Promise<SessionRefusal[]> {
    const partition = partitionOfSession(sessionId);
    const { rows } = await ask(this.pool, readRefusals, [partition, sessionId, limit, keysOf(tenant)]);
    return rows.map(({ sequence, why, count, text }) => {
      const counted = { why: why as StopIgnoredWhy, count, position: { partition, sequence } };
      if (text === null) return { ...counted, archived: true };
      const { event, at } = decodeEvent(text);
      if (event.type !== 'StopIgnored') throw new Error(`a ${event.type} counts as an ignored stop`);
      const { origin, epoch } = event;
      return { origin, epoch, ...counted, at };
    });
  }

  /** The JSON of a tenant's attributes by their digest; undefined when they were erased. */
  async attributes(partition: number, digest: string, tenant: string): Promise<string | undefined> {
    const { rows } = await ask(this.pool, readDetails, [partition, [digest], keysOf(tenant)]);
    return rows[0]?.body;
  }

  /** A scope's events after a version, oldest first. Rejects with ArchivedError when the first is archived. */
  async events(scopeKey: ScopeKey, after: number, limit: number): Promise<ScopeEvent[]> {
    const values = [scopeIdOf(scopeKey), scopeKey, after, limit] as const;
    const { rows } = await ask(this.pool, readScopeEvents, values);
    if (rows[0]?.version !== after + 1) await this.refuseArchived(scopeKey, after);
    return rows.map((row) => ({
      position: { partition: row.partition, sequence: row.sequence },
      version: row.version,
      json: row.text,
      ...(row.count !== null && { count: row.count }),
    }));
  }

  /**
   * A scope's session as of a position of its partition, or as of a time (the end of that millisecond). The same
   * question gets the same answer for good; `future` when the log has not come that far. Its cost grows with the
   * logarithm of the scope's history. Rejects with ArchivedError when what would answer may be archived.
   */
  async asOf({ scopeKey, partition }: ScopePlace, asOf: AsOf): Promise<Past> {
    const sequence = 'sequence' in asOf ? asOf.sequence : undefined;
    const time = 'time' in asOf ? asOf.time : undefined;
    const values = [partition, scopeIdOf(scopeKey), sequence, time] as const;
    const { future, until, text } = rowOf(await ask(this.pool, readAsOf, values));
    if (future) return { future };
    if (text === null || until === null) {
      await refuseArchivedScope(this.pool, partition, scopeKey, 0);
      return { future: false, session: undefined };
    }
    const { event, position } = decodeEvent(text);
    if (!('session' in event)) throw new Error(`${partition}:${position.sequence} carries no session`);
    return { future: false, session: event.session, position, until };
  }

  /** A scope's checkpoints, oldest first: at most 100. */
  async checkpoints(partition: number, scopeKey: ScopeKey): Promise<Checkpoint[]> {
    const { rows } = await ask(this.pool, readCheckpoints, [partition, scopeIdOf(scopeKey), scopeKey]);
    return rows.map((row) => ({
      label: row.label,
      sessionId: row.session_id,
      markedAt: row.at.toISOString(),
    }));
  }

  /** All current sessions and the positions that they are the state of: see Snapshots. */
  snapshot(): AsyncGenerator<{ position: Position } | SnapshotRow> {
    return this.snapshots.take();
  }

  private async refuseArchived(scopeKey: ScopeKey, after: number): Promise<void> {
    // Fixed when the ledger was made.
    this.partitions ??= rowOf(await ask(this.pool, readPartitions)).partitions;
    const partition = partitionOf(scopeKey, this.partitions);
    await refuseArchivedScope(this.pool, partition, scopeKey, after);
  }
}
