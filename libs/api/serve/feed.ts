import { keysOf } from '#session';
import type { Answered, Asked, Serving } from '../asked.js';
import type { Growing, Ledger } from '../ledger.port.js';
import { aheadOfLog, decodeVector, lastEventId, ScopeEventIds } from '../request/event-ids.js';
import { checkedPartition } from '../request/positions.js';
import { storedJson } from './answers.js';
import { scopeOf } from './scopes.js';

/** The log as followers read it: numbered, or as it grows. */
export const feed: Pick<Serving, 'feed' | 'feedStream' | 'scopeStream' | 'tenantStream' | 'snapshot'> = {
  async feed({ query: { partition, after = 0, limit = 100 } }, { tail, partitions }) {
    checkedPartition(partition, partitions, 'query.partition');
    const { restores } = tail; // before the events: those of another past come with a number that is too low
    const events = await tail.read(partition, after, limit);
    if (events.length === 0 && (await isAhead({ [partition]: after }, tail)))
      throw aheadOfLog('query.after', tail);
    const shown = events.map(({ bytes }) => bytes.toString());
    return eventPage(shown, events.length === limit && events.at(-1)?.sequence, restores);
  },
  async feedStream(asked, { tail }) {
    const last = lastIdOf(asked);
    const heads = tail.heads();
    const { restores } = tail;
    const vector = last ? decodeVector(last, heads.length, restores) : heads;
    if (last && (await isAhead(vector, tail))) throw aheadOfLog(last.place, tail);
    if (last) await tail.refuseArchived(vector);
    return { events: { vector, restores } };
  },
  async scopeStream(asked, ledger) {
    const scope = scopeOf(asked.caller, asked.query, ledger);
    const last = lastIdOf(asked);
    const ids = new ScopeEventIds(scope.scopeKey, ledger.tail.restores);
    const from = last && ids.decode(last);
    const head = (await ledger.latest(scope, false))?.version ?? 0;
    const version = from ?? head;
    if (last && version > head) throw aheadOfLog(last.place, ledger.tail);
    // A problem while there is still an answer to give.
    if (last) await ledger.history.events(scope.scopeKey, version, 1);
    return { events: { scopeKey: scope.scopeKey, version, ids } };
  },
  tenantStream: ({ caller }, { tail }) => ({
    events: { vector: tail.heads(), restores: tail.restores, only: keysOf(caller.tenant) },
  }),
  snapshot: (_, ledger) => ({ lines: snapshotLines(ledger) }),
};

/**
 * One page of events. `next`: what to ask for with `after`, when there may be more. `restores`: of the past that they
 * are from, since a number alone says of none.
 */
export function eventPage(
  events: readonly string[],
  next: number | false | undefined,
  restores: number,
): Answered {
  const headers = { 'ledger-restores': String(restores) };
  return { headers, json: `{"events":[${events.join(',')}]${next ? `,"next":${next}` : ''}}` };
}

/** By partition. What is ahead of this replica, another one may have committed a moment ago. */
async function isAhead(sequences: Readonly<Record<number, number>>, tail: Growing): Promise<boolean> {
  const are = (heads: readonly number[]) =>
    Object.entries(sequences).some(([partition, sequence]) => sequence > (heads[Number(partition)] ?? 0));
  return are(tail.heads()) && are(await tail.storedHeads());
}

function lastIdOf(asked: Asked<'feedStream'> | Asked<'scopeStream'>) {
  return lastEventId(asked.header('last-event-id'), asked.query.lastEventId);
}

/** The last line says that nothing is missing. */
async function* snapshotLines({ history }: Ledger): AsyncGenerator<string> {
  for await (const row of history.snapshot()) {
    yield 'position' in row ? JSON.stringify(row) : `{"session":${storedJson(row)}}`;
  }
  yield '{"complete":true}';
}
