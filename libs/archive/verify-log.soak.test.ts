import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { newPlace } from '../log/testing/submissions.js';
import { verifyLog } from './verify-log.js';

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await openTestLedger(2);
  const writers = [ledger.writer()];
  const places = Array.from({ length: 8 }, () => newPlace(2));
  await sendAtRandom({ writers, places, callers: 8, turns: 60, seed: 11 });
});
afterEach(() => ledger.close());

async function verify() {
  const reports = [];
  for await (const report of verifyLog(ledger.servicePool(1))) reports.push(report);
  return reports;
}
const faults = async () => (await verify()).flatMap((report) => report.faults);

/** Does what only somebody can do who owns the database and means harm. */
async function tamper(sql: string): Promise<void> {
  await ledger.pool.query('alter table ledger.events disable trigger all');
  const { rowCount } = await ledger.pool.query(sql);
  expect(rowCount).toBeGreaterThan(0);
}

test('a sound log has no faults, and folds to the same digests whenever it is asked', async () => {
  const reports = await verify();
  expect(reports.map(({ partition, faults }) => [partition, faults])).toEqual([
    [0, []],
    [1, []],
  ]);
  const { rows } = await ledger.pool.query(
    'select count(*)::int as scopes, (count(*) filter (where not ended))::int as current from ledger.scopes',
  );
  const sum = (of: 'scopes' | 'current') => reports.reduce((total, report) => total + report[of], 0);
  expect([sum('scopes'), sum('current')]).toEqual([rows[0].scopes, rows[0].current]);
  expect(await verify()).toEqual(reports);
});

test('progress tells how many of how many events were looked at', async () => {
  const told: [number, number][] = [];
  for await (const _ of verifyLog(ledger.servicePool(1), (done, total) => told.push([done, total]))) {
  }
  const { rows } = await ledger.pool.query('select count(*)::int as events from ledger.events');
  expect(told.at(-1)).toEqual([rows[0].events, rows[0].events]);
});

const harm: [string, string, string][] = [
  [
    'a changed byte',
    `update ledger.events set bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"chainLength":1', '"chainLength":7'), 'UTF8')
      where partition = 0 and sequence = (select min(sequence) from ledger.events where partition = 0 and type = 'SessionStarted')`,
    'the tree is not that of its head',
  ],
  [
    'an event taken out',
    'delete from ledger.events where partition = 0 and sequence = 3',
    '4 stands where 3 should',
  ],
  [
    'the end cut off',
    'delete from ledger.events where partition = 0 and sequence = (select max(sequence) from ledger.events where partition = 0)',
    'where its head says',
  ],
  [
    'two events in each other’s place',
    `update ledger.events e set bytes = o.bytes from ledger.events o
      where e.partition = 0 and o.partition = 0 and (e.sequence, o.sequence) in ((2, 3), (3, 2))`,
    'differ from its bytes',
  ],
  [
    'a column',
    "update ledger.events set type = 'SessionEnded' where partition = 0 and sequence = 1",
    'columns of 1',
  ],
  [
    'bytes that are no event',
    "update ledger.events set bytes = '{}' where partition = 0 and sequence = 2",
    '2 cannot be read',
  ],
  [
    'a state',
    `update ledger.scopes set latest = replace(latest, '"epoch":', '"epoch":1')
      where scope_id = (select min(scope_id::text)::uuid from ledger.scopes where partition = 0)`,
    'is not that of its events',
  ],
  [
    'a state that is gone',
    'delete from ledger.scopes where scope_id = (select min(scope_id::text)::uuid from ledger.scopes where partition = 0)',
    'scopes are kept',
  ],
];
test.each(harm)('%s is found', async (_, sql, fault) => {
  await tamper(sql);
  expect((await faults()).join('\n')).toContain(fault);
});
