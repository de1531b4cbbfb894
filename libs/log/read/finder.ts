import type pg from 'pg';
import type { Meant } from '#api';
import { smallints, texts, uuids } from '#postgres';
import { keysOf, partitionOfSession, type ScopeKey, type SessionId } from '#session';
import { ask } from '../errors.js';
import { statement } from '../statements.js';

const findHandles = statement('find_handles');
const findSessions = statement('find_sessions');

/** Finds what a tenant's outside names and session ids mean, in one query for each. Rejects with LogError `unavailable`. */
export class Finder {
  constructor(private readonly pool: pg.Pool) {}

  /** By hash; absent: nobody of the tenant has it. */
  async byHandle(hashes: readonly string[], tenant: string): Promise<Map<string, Meant>> {
    if (hashes.length === 0) return new Map();
    const { rows } = await ask(this.pool, findHandles, [texts(hashes), keysOf(tenant)]);
    return new Map(rows.map((row) => [row.hash, meant(row)]));
  }

  /** By session id; absent: the tenant has none such. */
  async bySession(ids: readonly SessionId[], tenant: string): Promise<Map<SessionId, Meant>> {
    if (ids.length === 0) return new Map();
    const { rows } = await ask(this.pool, findSessions, [
      smallints(ids, partitionOfSession),
      uuids(ids),
      keysOf(tenant),
    ]);
    return new Map(rows.map((row) => [row.session_id, meant(row)]));
  }
}

function meant(row: { scope_key: ScopeKey; session: string; latest: string }): Meant {
  return {
    scopeKey: row.scope_key,
    session: JSON.parse(row.session),
    latest: JSON.parse(row.latest),
  };
}
