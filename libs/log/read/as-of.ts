import type pg from 'pg';
import type { Past, ScopePlace } from '#api';
import { rowOf } from '#postgres';
import type { AsOf } from '#session';
import { ask } from '../errors.js';
import { decodeEvent } from '../event-bytes.js';
import { scopeIdOf } from '../ids.js';
import { statement } from '../statements.js';
import { refuseArchivedScope } from './archives.js';

const readAsOf = statement('read_as_of');

/**
 * A scope's session as of a position of its partition, or as of a time (the end of that millisecond). The same
 * question gets the same answer for good; `future` when the log has not come that far. Its cost grows with the
 * logarithm of the scope's history. Rejects with LogError `unavailable`, and with ArchivedError when what would
 * answer may be archived.
 */
export async function sessionAsOf(
  pool: pg.Pool,
  { scopeKey, partition }: ScopePlace,
  asOf: AsOf,
): Promise<Past> {
  const sequence = 'sequence' in asOf ? asOf.sequence : undefined;
  const time = 'time' in asOf ? asOf.time : undefined;
  const values = [partition, scopeIdOf(scopeKey), sequence, time] as const;
  const { future, until, text } = rowOf(await ask(pool, readAsOf, values));
  if (future) return { future };
  if (text === null || until === null) {
    await refuseArchivedScope(pool, partition, scopeKey, 0);
    return { future: false, session: undefined };
  }
  const { event, position } = decodeEvent(text);
  if (!('session' in event)) throw new Error(`${partition}:${position.sequence} carries no session`);
  return { future: false, session: event.session, position, until };
}
