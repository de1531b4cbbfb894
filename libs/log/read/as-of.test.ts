import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '#session';
import { History, type LedgerWriter } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { sendAtRandom } from '../testing/random-callers.js';
import { readLog, type StoredEvent } from '../testing/stored-log.js';
import {
  debug,
  end,
  erase,
  newPlace,
  type Place,
  rotate,
  sessionOf,
  start,
  withAttributes,
} from '../testing/submissions.js';

let ledger: TestLedger;
let writer: LedgerWriter;
let travel: History;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
  travel = new History(ledger.servicePool(2));
});
afterEach(() => ledger.close());

const asOf = (place: Place, when: { sequence: number } | { time: string }) =>
  travel.asOf({ scopeKey: place.scopeKey, partition: place.partition }, when);

/** What a reader of the log finds by walking over all of it. */
function walked(log: readonly StoredEvent[], place: Place, met: (event: StoredEvent) => boolean) {
  const until = log.filter((one) => one.scopeKey === place.scopeKey && met(one));
  const last = until.filter((one) => 'session' in one.event).at(-1);
  if (!last || !('session' in last.event)) return { future: false, session: undefined };
  const { partition, sequence } = last;
  const { session } = last.event;
  return { future: false, session, position: { partition, sequence }, until: until.at(-1)?.sequence };
}

test('random histories: at every position, and at the time of every event, what a walk over the log finds', async () => {
  const places = Array.from({ length: 4 }, () => newPlace(ledger.partitions));
  const seed = Math.floor(Math.random() * 2 ** 31);
  await sendAtRandom({ writers: [writer, ledger.writer()], places, callers: 6, turns: 40, seed });
  const log = await readLog(ledger.pool);
  expect(log.some(({ type }) => type === 'StopIgnored')).toBe(true);
  await sleep(2); // the last event's millisecond is over
  for (const place of places) {
    const ofPartition = log.filter(({ partition }) => partition === place.partition);
    for (const { sequence, at } of ofPartition) {
      const [byPosition, byTime] = await Promise.all([asOf(place, { sequence }), asOf(place, { time: at })]);
      expect({ seed, ...byPosition }).toEqual({
        seed,
        ...walked(log, place, (one) => one.partition === place.partition && one.sequence <= sequence),
      });
      expect({ seed, ...byTime }).toEqual({ seed, ...walked(log, place, (one) => one.at <= at) });
    }
  }
});

test('before its first event a scope has nothing; the future has not been told', async () => {
  const place = newPlace(ledger.partitions);
  expect(await asOf(place, { sequence: 0 })).toEqual({ future: false, session: undefined });
  expect(await asOf(place, { sequence: 1 })).toEqual({ future: true });
  const before = new Date(Date.now() - 1_000).toISOString();
  await writer.submit(start(place));
  expect(await asOf(place, { time: before })).toEqual({ future: false, session: undefined });
  expect(await asOf(place, { sequence: 1 })).toMatchObject({ session: { status: 'active' } });
  expect(await asOf(place, { time: new Date(Date.now() + 1_000).toISOString() })).toEqual({ future: true });
  expect(await asOf(place, { sequence: Number.MAX_SAFE_INTEGER })).toEqual({ future: true });
});

test('an answer about a moment stays the answer, also while commands come in', async () => {
  const place = newPlace(ledger.partitions);
  let over = false;
  const sending = (async () => {
    while (!over) await writer.submit(start(place));
  })();
  const answers: { time: string; sequence: number | undefined }[] = [];
  while (answers.length < 300) {
    const time = new Date(Date.now() - 1).toISOString();
    const past = await asOf(place, { time });
    if (!past.future) answers.push({ time, sequence: past.session && past.position.sequence });
  }
  over = true;
  await sending;
  const log = await readLog(ledger.pool);
  const later = answers.map(({ time }) => ({
    time,
    sequence: log.filter((one) => one.at <= time && 'session' in one.event).at(-1)?.sequence,
  }));
  expect(answers).toEqual(later);
});

test('stops that were ignored by the thousand are not walked over', async () => {
  const place = newPlace(ledger.partitions);
  const first = sessionOf(await writer.submit(start(place)));
  const second = sessionOf(await writer.submit(rotate(first)));
  const stops = Array.from({ length: 3_000 }, (_, n) =>
    end(first, { origin: { environment: `cloud-${n}` } }),
  );
  await Promise.all(stops.map((stop) => writer.submit(stop)));
  await writer.submit(start(place, { owner: debug }));
  const touched = async () => (await stats()).reads;
  const before = await touched();
  expect(await asOf(place, { sequence: 3_002 })).toMatchObject({
    session: second,
    position: { sequence: 2 },
  });
  expect((await touched()) - before).toBeLessThan(200);
});

/** How many rows of ledger.events indexes have fetched, all connections' counts included. */
async function stats(): Promise<{ reads: number }> {
  await sleep(1_100); // a connection reports its counts at most once a second
  const { rows } = await ledger.pool.query(
    `select sum(idx_tup_fetch)::int as reads from pg_stat_user_tables where schemaname = 'ledger' and relname = 'events'`,
  );
  return rows[0];
}

test('an erasure after the end leaves the session that had ended', async () => {
  const place = newPlace(ledger.partitions);
  const first = sessionOf(await writer.submit(withAttributes(start(place), '{"a":1}')));
  const ended = sessionOf(await writer.submit(end(first)));
  await writer.submit(erase(place));
  await writer.submit(erase(place));
  const second = sessionOf(await writer.submit(withAttributes(start(place), '{"a":2}')));
  await writer.submit(erase(place));
  const log = await readLog(ledger.pool);
  expect(log.filter(({ type }) => type === 'DetailsErased').map(({ event }) => 'session' in event)).toEqual([
    false,
    true,
  ]);
  expect(await asOf(place, { sequence: 3 })).toMatchObject({ session: ended, position: { sequence: 2 } });
  expect(await asOf(place, { sequence: 4 })).toMatchObject({ session: second });
  expect(await asOf(place, { sequence: 5 })).toMatchObject({ session: { revision: second.revision + 1 } });
});

test('no session that ever was current is lost: each of a long chain is found at its time', async () => {
  const place = newPlace(ledger.partitions);
  const chain: Session[] = [sessionOf(await writer.submit(start(place)))];
  for (let n = 0; n < 200; n++) chain.push(sessionOf(await writer.submit(rotate(chain.at(-1)!))));
  for (const [index, session] of chain.entries()) {
    expect(await asOf(place, { sequence: index + 1 })).toMatchObject({ session });
  }
});
