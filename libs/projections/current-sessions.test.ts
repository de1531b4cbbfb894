import { readFile } from 'node:fs/promises';
import type { LedgerWriter } from '#log';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { newPlace } from '../log/testing/submissions.js';
import { foldedRows, projectAll, storedRows } from './testing/projections.js';

const migration = new URL('../log/sql/migrations/020_current_sessions.sql', import.meta.url);

let ledger: TestLedger;
let writer: LedgerWriter;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
});
afterEach(() => ledger.close());

const forget = `drop table ledger.projected_current cascade;
  drop function ledger.list_current cascade;
  drop function ledger.unlist_current cascade;
  drop function if exists ledger.current_of cascade;
  drop index ledger.projected_sessions_by_version`;
const migrate = async () => {
  await ledger.pool.query(forget);
  await ledger.pool.query(await readFile(migration, 'utf8'));
  await ledger.pool.query('select ledger.take_roles()');
};

test('a ledger that knew of no such list gets it as if it always had, projected up to wherever', async () => {
  const places = Array.from({ length: 40 }, () => newPlace(ledger.partitions));
  const atRandom = (seed: number) =>
    sendAtRandom({ writers: [writer], places, callers: 10, turns: 60, seed, stop: () => false });
  await atRandom(1);
  await projectAll(ledger, 20);
  const before = await storedRows(ledger);
  expect(before.current.length).toBeGreaterThan(5);
  await migrate();
  expect(await storedRows(ledger)).toEqual(before);

  await atRandom(2);
  await migrate(); // what was just committed is not projected yet
  await projectAll(ledger, 20);
  expect(await storedRows(ledger)).toEqual(await foldedRows(ledger));
});
