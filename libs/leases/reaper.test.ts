import { openPool } from '#postgres';
import { openTestLedger } from '../log/testing/ledger.js';
import { forSession } from '../log/testing/submissions.js';
import { Reaper } from './reaper.js';
import { openReplica, startLeased, untilEvent } from './testing/leases.js';

test('a session that cannot be settled is told of and tried again, and keeps no other one waiting', async () => {
  const ledger = await openTestLedger();
  const replica = openReplica(ledger);
  const pool = openPool({ url: ledger.database.url, role: ledger.role }, 2);
  const [stuck, other] = [await startLeased(replica, ledger), await startLeased(replica, ledger)];
  const faults: unknown[] = [];
  let isStuck = true;
  const reaper = new Reaper({
    pool,
    everyMs: 20,
    onFault: (error) => void faults.push(error),
    async settle(sessionId) {
      const { principal, epoch } = stuck;
      if (isStuck && sessionId === stuck.sessionId) throw new Error('it is stuck');
      const settling = forSession({ ...stuck, sessionId, principal, epoch }, { type: 'SettleSession' });
      await replica.submit(settling);
    },
  });
  reaper.start();
  await untilEvent(ledger, other, 'SessionExpired', 10_000);
  expect(new Set(faults.map(String))).toEqual(new Set(['Error: it is stuck']));
  isStuck = false;
  await untilEvent(ledger, stuck, 'OwnershipLapsed', 10_000);
  await reaper.close();
  await replica.close();
  await pool.end();
  await ledger.close();
});
