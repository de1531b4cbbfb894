import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { LeaseRenewer } from './renewer.js';
import { openReplica, type Replica, startLeased } from './testing/leases.js';

// Renewals of many tenants wait in one queue, and none of them fills it.
let ledger: TestLedger;
let replica: Replica;
let renewer: LeaseRenewer;
const faults: unknown[] = [];
beforeAll(async () => {
  ledger = await openTestLedger();
  replica = openReplica(ledger);
  const database = { url: ledger.database.url, role: ledger.role };
  renewer = new LeaseRenewer({
    ...{ database, maxBatch: 10, maxQueue: 400, maxOfTenant: 300 },
    onFault: (error) => void faults.push(error),
  });
});
afterAll(async () => {
  await renewer.close();
  await replica.close();
  await ledger.close();
  expect(faults).toEqual([]);
});

test('a tenant that sends many renewals holds up itself, and fills only its share of the queue', async () => {
  const { sessionId, epoch, principal } = await startLeased(replica, ledger, { seconds: 60 });
  const of = (tenant: string) =>
    renewer.renew({ sessionId, epoch, by: { tenant, principal, operate: false } });
  let answered = 0;
  const blue = Array.from({ length: 350 }, () =>
    of('blue').finally(() => {
      answered += 1;
    }),
  );
  const settled = Promise.allSettled(blue);
  expect(await of('acme')).toBeDefined();
  // 50 were refused at once, and two batches at most came before.
  expect(answered).toBeLessThanOrEqual(50 + 20);
  const refused = (await settled).filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(50);
  // What was answered takes no place any more.
  expect(await of('blue')).toBeUndefined();
});
