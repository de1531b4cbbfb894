// Nothing else may run beside it: it is about time.
import { setTimeout as pause } from 'node:timers/promises';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { readLog } from '../log/testing/stored-log.js';
import { openReplica, type Replica, startLeased, untilEvent } from './testing/leases.js';

let ledger: TestLedger;
let replica: Replica;
beforeAll(async () => {
  ledger = await openTestLedger();
  replica = openReplica(ledger);
  replica.startReaper();
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool)).toEqual([]);
  expect(replica.faults).toEqual([]);
});
afterAll(async () => {
  await replica.close();
  await ledger.close();
});

test('many leases that end at once all lapse, each once', async () => {
  const sessions = await Promise.all(
    Array.from({ length: 1_500 }, () => startLeased(replica, ledger, { graceSeconds: 60 })),
  );
  for (const session of sessions) await untilEvent(ledger, session, 'OwnershipLapsed', 30_000);
  await pause(500);
  const lapses = new Map(sessions.map(({ sessionId }) => [sessionId, [] as string[]]));
  for (const { event, at } of await readLog(ledger.pool)) {
    if (event.type === 'OwnershipLapsed') lapses.get(event.session.sessionId)?.push(at);
  }
  expect([...lapses.values()].filter(({ length }) => length !== 1)).toEqual([]);
  const delays = sessions.map(
    ({ sessionId, startedAt }) =>
      Date.parse(lapses.get(sessionId)?.[0] ?? '') - Date.parse(startedAt) - 1_000,
  );
  expect(Math.max(...delays)).toBeLessThan(2_000);
});
