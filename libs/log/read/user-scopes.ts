import type pg from 'pg';
import type { Place, UserSession } from '#api';
import type { ScopeKey } from '#session';
import { ask } from '../errors.js';
import { scopeIdOf, userRangeOf } from '../ids.js';
import { statement } from '../statements.js';

const findDetailedScopes = statement('find_detailed_scopes');
const readUserSessions = statement('read_user_sessions');

/** Before every scope. */
export const START: Place = { partition: 0, scopeId: '0'.repeat(32) };

/**
 * Reads all scopes of a user, whatever their projects: they lie together in each partition. Every scope key of
 * the user names it. Rejects with LogError `unavailable`.
 */
export class UserScopes {
  constructor(private readonly pool: pg.Pool) {}

  /** Scopes of the user that have details, in no order; at most `limit`. */
  async detailed(scopeKey: ScopeKey, limit: number): Promise<ScopeKey[]> {
    const { first, last, prefix } = userRangeOf(scopeKey);
    return this.find([first, last, prefix, limit]);
  }

  /** Whether the scope has details, of any of its sessions. */
  async hasDetails(scopeKey: ScopeKey): Promise<boolean> {
    const id = scopeIdOf(scopeKey);
    return (await this.find([id, id, scopeKey, 1])).length > 0;
  }

  /** The user's current sessions after a place, at most `limit`. Each is as of now, the page as a whole as well. */
  async current(scopeKey: ScopeKey, after: Place = START, limit: number): Promise<UserSession[]> {
    const { first, last, prefix } = userRangeOf(scopeKey);
    const values = [first, last, prefix, after.partition, after.scopeId, limit] as const;
    const { rows } = await ask(this.pool, readUserSessions, values);
    return rows.map((row) => ({
      partition: row.partition,
      scopeId: row.scope_id.replaceAll('-', ''),
      json: row.latest,
      ...(row.detailed && { attributes: row.attributes ?? 'erased' }),
    }));
  }

  private async find(values: readonly [string, string, string, number]): Promise<ScopeKey[]> {
    const { rows } = await ask(this.pool, findDetailedScopes, values);
    return rows.map((row) => row.scope_key);
  }
}
