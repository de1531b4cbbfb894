import type pg from 'pg';
import type { Meant } from '#api';
import { smallints, texts, uuids } from '#postgres';
import { partitionOfSession, type ScopeKey, type SessionId } from '#session';
import { readError } from '../errors.js';
import { statement } from '../statements.js';

const findHandles = statement('find_handles');
const findSessions = statement('find_sessions');

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
