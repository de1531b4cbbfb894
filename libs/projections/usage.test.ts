import { setTimeout as sleep } from 'node:timers/promises';
import { ArchivedError, History, type LedgerWriter } from '#log';
import { addDecimals, type Session, type SessionId, type Usage, type UsageTotals } from '#session';
import { archiveAll, archiveDirectory } from '../archive/testing/archives.js';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { readLog, type StoredEvent } from '../log/testing/stored-log.js';
import { sessionsIn } from '../log/testing/story.js';
import {
  markCheckpoint,
  newPlace,
  type Place,
  recordUsage,
  reportInvalid,
  rotate,
  sessionOf,
  start,
} from '../log/testing/submissions.js';
import { ReadModels } from './read-models.js';
import { rebuild } from './rebuild.js';
import { projectAll, startProjector, untilProjected } from './testing/projections.js';

let ledger: TestLedger;
let writer: LedgerWriter;
let models: ReadModels;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
  models = new ReadModels(ledger.servicePool(2));
});
afterEach(() => ledger.close());

const MOST = BigInt(Number.MAX_SAFE_INTEGER);
const eur = (amount: string): Usage => ({ cost: { amount, currency: 'EUR' } });
const used = async (place: Place, until?: number): Promise<UsageTotals> =>
  JSON.parse((await models.usage(place, until)).usage ?? 'null');
const usedInChain = async (place: Place, from?: SessionId): Promise<UsageTotals> =>
  JSON.parse((await models.chain(place, { from, limit: 1 })).usage ?? 'null');
const send = async (...reports: [Session, Usage][]) => {
  for (const [session, usage] of reports) sessionOf(await writer.submit(recordUsage(session, usage)));
};
const project = () => projectAll(ledger, 3);

/** Added up without the code under test: exact, a count never above 2^53-1. */
function sumOf(reports: readonly Usage[]): UsageTotals {
  const count = (of: (usage: Usage) => number | undefined) => {
    const sum = reports.reduce((total, usage) => total + BigInt(of(usage) ?? 0), 0n);
    return Number(sum > MOST ? MOST : sum);
  };
  const costs = reports.flatMap(({ cost }) => cost ?? []);
  const currencies = [...new Set(costs.map(({ currency }) => currency))].sort();
  const costIn = (currency: string) =>
    costs
      .filter((cost) => cost.currency === currency)
      .reduce((sum, { amount }) => addDecimals(sum, amount), '0');
  return {
    operations: reports.length,
    inputTokens: count((usage) => usage.inputTokens),
    outputTokens: count((usage) => usage.outputTokens),
    cachedTokens: count((usage) => usage.cachedTokens),
    durationMs: count((usage) => usage.durationMs),
    cost: Object.fromEntries(currencies.map((currency) => [currency, costIn(currency)])),
  };
}

/** What a walk over a scope's events says of its reports and sessions. */
function walked(events: readonly StoredEvent[]) {
  const reports: { rootId: SessionId; usage: Usage }[] = [];
  const sessions = new Map<SessionId, { json: string; sequence: number }>();
  for (const { event, sequence } of events) {
    for (const session of sessionsIn(event)) {
      sessions.set(session.sessionId, { json: JSON.stringify(session), sequence });
      if (event.type === 'UsageRecorded') reports.push({ rootId: session.rootId, usage: event.usage });
    }
  }
  return { reports, sessions };
}

test('random histories: sums and chains at every position are those of a walk over the log', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const places = Array.from({ length: 4 }, () => newPlace(ledger.partitions));
  const firsts = await Promise.all(places.map(async (place) => sessionOf(await writer.submit(start(place)))));
  for (const first of firsts) {
    const second = sessionOf(await writer.submit(rotate(first, { usage: eur('1') })));
    await writer.submit(reportInvalid(second)); // recovered: the chain goes on
  }
  await sendAtRandom({ writers: [writer, ledger.writer()], places, callers: 6, turns: 40, seed });
  // What comes late for sessions that have ended: some have been recovered from, or marked, before.
  for (const { event } of await readLog(ledger.pool)) {
    for (const session of sessionsIn(event)) await writer.submit(recordUsage(session, eur('0.01')));
  }
  for (const first of firsts) {
    await writer.submit(reportInvalid(first));
    await writer.submit(markCheckpoint(first, 'of the past'));
    await send([first, eur('0.5')]);
  }
  await projectAll(ledger, 7);
  const travel = new History(ledger.servicePool(1));
  let changedSince = 0;
  for (const place of places) {
    const log = await readLog(ledger.pool, place.scopeKey);
    for (const [index, { partition, sequence }] of log.entries()) {
      const past = await travel.asOf({ scopeKey: place.scopeKey, partition: partition }, { sequence });
      if (past.future || !past.session) throw new Error('a session was current');
      const { reports, sessions } = walked(log.slice(0, index + 1));
      const tip = past.session;
      const asOf = { until: past.until, tip: tip.sessionId };
      const chain = await models.chain(place, { from: tip.sessionId, limit: 500, asOf });
      const inChain = reports.filter(({ rootId }) => rootId === tip.rootId);
      expect({
        seed,
        sequence,
        scope: await used(place, past.until),
        chain: JSON.parse(chain.usage!),
      }).toEqual({
        seed,
        sequence,
        scope: sumOf(reports.map(({ usage }) => usage)),
        chain: sumOf(inChain.map(({ usage }) => usage)),
      });
      expect(chain.rows).toHaveLength(tip.chainLength);
      const now = await models.chain(place, { from: tip.sessionId, limit: 500 });
      for (const [at, { sessionId, json, sequence: from }] of chain.rows.entries()) {
        if (sessionId === tip.sessionId) continue; // its reader has it from the log
        expect({ seed, sequence, sessionId, json, from }).toEqual({
          ...{ seed, sequence, sessionId },
          ...{ json: sessions.get(sessionId)?.json, from: sessions.get(sessionId)?.sequence },
        });
        if (json !== now.rows[at]!.json) changedSince += 1;
      }
    }
    expect(await used(place)).toEqual(sumOf(walked(log).reports.map(({ usage }) => usage)));
  }
  expect(changedSince).toBeGreaterThan(0);
});

test('a chain has what its sessions used, also late; a reset, a fresh start and a takeover begin another one', async () => {
  const place = newPlace(ledger.partitions);
  const first = sessionOf(await writer.submit(start(place)));
  const second = sessionOf(await writer.submit(rotate(first, { usage: { inputTokens: 5, ...eur('0.1') } })));
  const recovered = sessionOf(await writer.submit(reportInvalid(second)));
  const root = sessionOf(await writer.submit(rotate(recovered, { reason: 'reset', usage: eur('0.2') })));
  const other = sessionOf(await writer.submit(start(place)));
  const fresh = sessionOf(await writer.submit(reportInvalid(other, { fallback: 'start-fresh' })));
  expect([first, second, recovered, root, other, fresh].map(({ rootId }) => rootId)).toEqual([
    ...Array(3).fill(first.sessionId),
    ...[root.sessionId, other.sessionId, fresh.sessionId],
  ]);
  await send(
    [first, eur('0.0000007')],
    [second, { outputTokens: 3 }],
    [root, eur('7')],
    [fresh, { durationMs: 9 }],
  );
  await send([other, { cost: { amount: '12', currency: 'USD' }, cachedTokens: 2 }]);
  await project();
  const nothing = {
    operations: 0,
    inputTokens: 0,
    outputTokens: 0,
    cachedTokens: 0,
    durationMs: 0,
    cost: {},
  };
  const ofFirst = { ...nothing, operations: 4, inputTokens: 5, outputTokens: 3, cost: { EUR: '0.3000007' } };
  for (const one of [first, second, recovered])
    expect(await usedInChain(place, one.sessionId)).toEqual(ofFirst);
  expect(await usedInChain(place, root.sessionId)).toEqual({ ...nothing, operations: 1, cost: { EUR: '7' } });
  expect(await usedInChain(place)).toEqual({ ...nothing, operations: 1, durationMs: 9 });
  expect(await used(place)).toEqual({
    ...{ operations: 7, inputTokens: 5, outputTokens: 3, cachedTokens: 2, durationMs: 9 },
    cost: { EUR: '7.3000007', USD: '12' },
  });
  expect(await used(newPlace(ledger.partitions))).toEqual(nothing);
});

test('sums are exact where sessions have their bounds; a count is told as at most 2^53-1', async () => {
  const place = newPlace(ledger.partitions);
  let session = sessionOf(await writer.submit(start(place)));
  const most = { ...eur('999999999999999999'), inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 1 };
  for (let n = 0; n < 4; n++) session = sessionOf(await writer.submit(rotate(session, { usage: most })));
  await send([session, eur('0.000000001')]);
  await project();
  expect(await usedInChain(place)).toMatchObject({
    ...{ operations: 5, inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 4 },
    cost: { EUR: '3999999999999999996.000000001' },
  });
  const { rows } = await ledger.pool.query(
    'select max(input_tokens)::text as most from ledger.projected_usage',
  );
  expect(rows).toEqual([{ most: String(4n * MOST) }]);
});

test('what a version without sums has projected makes none of them known, until a rebuild', async () => {
  const [place, later] = [newPlace(ledger.partitions, 0), newPlace(ledger.partitions, 0)];
  await send([sessionOf(await writer.submit(start(place))), eur('1')]);
  // As such a version leaves it: the position has moved on alone.
  await ledger.pool.query('update ledger.projection_positions set sequence = 2 where partition = 0');
  await send([sessionOf(await writer.submit(start(later))), eur('2')]);
  await project();
  expect([await used(place), await used(later)]).toEqual([null, null]);
  expect(await models.chain(place, { limit: 1 })).toMatchObject({ reached: 4, usage: null });
  await rebuild({ database: { url: ledger.database.url, role: ledger.role } });
  expect([await used(place), await used(later)]).toMatchObject([
    { cost: { EUR: '1' } },
    { cost: { EUR: '2' } },
  ]);
});

test('sums outlive the archiving of their reports; what a session was then is said to be archived', async () => {
  const place = newPlace(ledger.partitions);
  const first = sessionOf(await writer.submit(start(place)));
  const second = sessionOf(await writer.submit(rotate(first, { usage: eur('1') })));
  const third = sessionOf(await writer.submit(rotate(second, { usage: eur('2') })));
  const until = (await readLog(ledger.pool, place.scopeKey)).at(-1)!.sequence;
  await project();
  const directory = await archiveDirectory();
  ledger.onClose(directory.remove);
  await archiveAll(ledger, directory.path);
  const then = { from: third.sessionId, limit: 10, asOf: { until, tip: third.sessionId } };
  expect((await models.chain(place, then)).rows).toHaveLength(3); // nothing has changed since
  await send([first, eur('4')]);
  await project();
  expect([await used(place, until), await used(place)]).toMatchObject([
    { cost: { EUR: '3' } },
    { cost: { EUR: '7' } },
  ]);
  await expect(models.chain(place, then)).rejects.toThrow(ArchivedError);
  expect((await models.chain(place, { limit: 10 })).rows).toHaveLength(3);
});

test('what sums cost does not grow with the chain, nor with how often it was reported since', async () => {
  const place = newPlace(ledger.partitions);
  const began = sessionOf(await writer.submit(start(place)));
  let session = began;
  await startProjector(ledger);
  for (let n = 0; n < 300; n++)
    session = sessionOf(await writer.submit(rotate(session, { usage: { inputTokens: 1, ...eur('0.01') } })));
  const until = (await readLog(ledger.pool, place.scopeKey)).at(-1)!.sequence;
  for (let n = 0; n < 300; n++) await send([began, eur('0.01')]);
  await untilProjected(ledger);
  const before = await touched();
  for (let times = 0; times < 5; times++) {
    expect(await used(place, until)).toMatchObject({ operations: 300, cost: { EUR: '3' } });
    expect(await usedInChain(place)).toMatchObject({ operations: 600, cost: { EUR: '6' } });
    const asOf = { until, tip: session.sessionId };
    const { rows } = await models.chain(place, { from: began.sessionId, limit: 1, asOf });
    expect(JSON.parse(rows[0]!.json).usage).toMatchObject({ operations: 1, cost: { EUR: '0.01' } });
  }
  expect((await touched()) - before).toBeLessThan(5 * 40);
});

/** How many rows indexes have fetched. */
async function touched(): Promise<number> {
  await sleep(1_100); // a connection reports its counts at most once a second
  const { rows } = await ledger.pool.query(
    `select sum(idx_tup_fetch)::int as rows from pg_stat_user_tables
      where schemaname = 'ledger' and relname in ('projected_usage', 'projected_sessions', 'events')`,
  );
  return rows[0].rows;
}
