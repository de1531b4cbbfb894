import { callerOf, type Ledger, unkeyed } from '../index.js';
import { serving } from './index.js';

const caller = callerOf({ tenant: 'acme', ledgerWide: false, principal: 'somebody', permissions: ['write'] });
const sessionId = '01890000-0000-7000-8000-000000000001';
const until = '2026-01-01T00:00:00.000Z';

/** A ledger whose leases' rows answer so, one after the other, and whose decider takes every renewal. */
function leases(...rows: (string | undefined)[]) {
  const seen = { rows: 0, decider: 0 };
  const ledger = {
    partitions: 16,
    newCommandId: () => 'command',
    renew: async () => rows[seen.rows++],
    submit: async () => {
      seen.decider += 1;
      return { kind: 'accepted' };
    },
  } as unknown as Ledger;
  const asked = { ...unkeyed(caller), params: { sessionId }, body: { epoch: 1 } };
  return { seen, renew: async () => serving.renewLease(asked as never, ledger) };
}
const renewed = { body: { outcome: 'renewed', sessionId, until } };

test('a lease that can be renewed costs no command', async () => {
  const { seen, renew } = leases(until);
  expect([await renew(), seen]).toEqual([renewed, { rows: 1, decider: 0 }]);
});

test('one that came alive while the decider was asked is renewed then', async () => {
  const { seen, renew } = leases(undefined, until);
  expect([await renew(), seen]).toEqual([renewed, { rows: 2, decider: 1 }]);
});

test('one that changes all the time is given up as unavailable, after two looks', async () => {
  const { seen, renew } = leases(undefined, undefined, until);
  await expect(renew()).rejects.toMatchObject({ code: 'unavailable' });
  expect(seen).toEqual({ rows: 2, decider: 1 });
});
