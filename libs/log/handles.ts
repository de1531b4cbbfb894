import type pg from 'pg';
import {
  type Handle,
  type HandleChange,
  type HandleHolder,
  handlesIn,
  MOST_SCOPE_HANDLES,
  newHandlesIn,
  type ScopeKey,
  type Session,
  type SessionId,
} from '#session';
import { smallints, texts, uuids } from './columns.js';
import { readError } from './errors.js';
import { partitionOfSession } from './ids.js';
import type { Answered, Bound } from './packet.js';
import { statement } from './statements.js';
import type { Draft, Submission } from './submission.js';

const reserveHandles = statement('reserve_handles');
const loadHandles = statement('load_handles');
const saveHandles = statement('save_handles');
const dropOldestHandles = statement('drop_oldest_handles');
const findHandles = statement('find_handles');
const findSessions = statement('find_sessions');

/** Which scope has a handle, and for which session. */
interface Holder {
  scopeId: string;
  sessionId: SessionId | undefined;
}

/** What a batch made of a handle; without holder nobody has it any more. */
interface HandleRow extends Handle {
  partition: number;
  holder: Holder | undefined;
}

type HandlesOf = { partition: number; scopeId: string };

/**
 * The handles that a batch names: who has them, as its commands leave them one after the other, and what has to
 * be written. Those that it reserved and did not bind are given back.
 */
export class BatchHandles {
  private readonly holders = new Map<string, Holder>();
  private readonly reserved = new Set<string>();
  private readonly changed = new Map<string, HandleRow>();

  /** Queries that reserve and read the handles of a batch, in this order; none when it names no handle. */
  static queries(batch: readonly Submission[]): Bound[] {
    const bound = new Set<string>();
    const named = new Set<string>();
    for (const { command } of batch) {
      for (const { hash } of newHandlesIn(command)) bound.add(hash);
      for (const { hash } of handlesIn(command)) named.add(hash);
    }
    const queries: Bound[] = [];
    if (bound.size > 0) queries.push({ ...reserveHandles, values: [texts([...bound])] });
    if (named.size > 0) queries.push({ ...loadHandles, values: [texts([...named])] });
    return queries;
  }

  /** Those of sessions that a command of the batch may go back to. */
  static queryOf(sessions: readonly Session[]): Bound | undefined {
    const hashes = sessions.flatMap(({ handles = none }) => handles.map(({ hash }) => hash));
    return hashes.length === 0 ? undefined : { ...loadHandles, values: [texts([...new Set(hashes)])] };
  }

  /** From the answers to those queries. */
  constructor(answers: readonly (Answered | undefined)[] = []) {
    for (const answer of answers) if (answer) this.learn(answer);
  }

  learn({ rows }: Answered): void {
    for (const { hash, scope_id, session_id } of rows) {
      if (!scope_id) this.reserved.add(hash);
      else this.holders.set(hash, { scopeId: scope_id, sessionId: session_id ?? undefined });
    }
  }

  get isEmpty(): boolean {
    return this.reserved.size === 0 && this.changed.size === 0;
  }

  /** Who has the handles of a command and `more` ones, as its scope sees it; undefined when there are none. */
  known(
    command: Draft,
    scopeId: string,
    more: readonly Handle[] = none,
  ): ReadonlyMap<string, HandleHolder> | undefined {
    const named = more.length > 0 ? [...handlesIn(command), ...more] : handlesIn(command);
    if (named.length === 0) return undefined;
    const known = new Map<string, HandleHolder>();
    for (const { hash } of named) {
      const holder = this.holders.get(hash);
      if (!holder) continue;
      const { sessionId } = holder;
      if (holder.scopeId !== scopeId) known.set(hash, { scope: 'another' });
      else known.set(hash, sessionId ? { scope: 'this', sessionId } : { scope: 'this' });
    }
    return known;
  }

  /** Keeps what a command did to handles of its scope, for the commands after it and to be written. */
  change({ kind, hash, to }: HandleChange, { partition, scopeId }: HandlesOf): void {
    const sessionId = typeof to === 'string' ? undefined : to.sessionId;
    const holder = to === 'nothing' ? undefined : { scopeId, sessionId };
    if (holder) this.holders.set(hash, holder);
    else this.holders.delete(hash);
    this.changed.delete(hash); // the last binding is the newest, also in the order of writing
    this.changed.set(hash, { kind, hash, partition, holder });
  }

  /** Statements that write what the batch made of them. */
  saving(): Bound[] {
    if (this.isEmpty) return [];
    const rows = [...this.changed.values()];
    const bound = rows.filter((row) => row.holder);
    const kept = new Set(bound.map((row) => row.hash));
    const gone = [...this.reserved, ...this.changed.keys()].filter((hash) => !kept.has(hash));
    const columns = [
      texts(bound, (row) => row.hash),
      texts(bound, (row) => row.kind),
      smallints(bound, (row) => row.partition),
      uuids(bound, (row) => row.holder?.scopeId),
      uuids(bound, (row) => row.holder?.sessionId),
    ];
    const grown = new Set(bound.flatMap(({ holder }) => (holder?.sessionId ? [] : [holder?.scopeId ?? ''])));
    const saving: Bound[] = [{ ...saveHandles, values: [texts(gone), ...columns] }];
    if (grown.size > 0)
      saving.push({ ...dropOldestHandles, values: [uuids([...grown]), MOST_SCOPE_HANDLES] });
    return saving;
  }
}

const none: readonly Handle[] = [];

/** A session that a handle or a session id means, and what its scope's latest is now. */
export interface Meant {
  scopeKey: ScopeKey;
  session: Session;
  latest: Session;
}

/** Finds what outside names and session ids mean, in one query for each. Rejects with LogError `unavailable`. */
export class Finder {
  constructor(private readonly pool: pg.Pool) {}

  /** By hash; absent: nobody has it. */
  async byHandle(hashes: readonly string[]): Promise<Map<string, Meant>> {
    if (hashes.length === 0) return new Map();
    return this.find({ ...findHandles, values: [texts(hashes)] }, 'hash');
  }

  /** By session id; absent: no partition knows it. */
  async bySession(ids: readonly SessionId[]): Promise<Map<SessionId, Meant>> {
    if (ids.length === 0) return new Map();
    return this.find(
      { ...findSessions, values: [smallints(ids, partitionOfSession), uuids(ids)] },
      'session_id',
    );
  }

  private async find(query: pg.QueryConfig, name: string): Promise<Map<string, Meant>> {
    try {
      const { rows } = await this.pool.query(query);
      return new Map(rows.map((row) => [row[name], meant(row)]));
    } catch (error) {
      throw readError(error);
    }
  }
}

function meant(row: { scope_key: ScopeKey; session: string; latest: string }): Meant {
  return {
    scopeKey: row.scope_key,
    session: JSON.parse(row.session),
    latest: JSON.parse(row.latest),
  };
}
