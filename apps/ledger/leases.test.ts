import type { CommandBus } from '@nestjs/cqrs';
import type { LeaseRenewer } from '#log';
import { Leases } from './leases.js';
import type { Submissions } from './submissions.js';

const caller = { tenant: 'acme', principal: 'somebody', operate: false };
const renewal = { sessionId: '01890000-0000-7000-8000-000000000001', epoch: 1 };
const until = '2026-01-01T00:00:00.000Z';

/** Leases whose rows answer so, one after the other, and whose decider takes every renewal. */
function leases(...rows: (string | undefined)[]) {
  const asked = { rows: 0, decider: 0 };
  const renewer = {
    renew: async () => rows[asked.rows++],
  } as unknown as LeaseRenewer;
  const submissions = { hasPartition: () => true, forSession: () => ({}) } as unknown as Submissions;
  const commands = {
    execute: async () => {
      asked.decider += 1;
      return { kind: 'accepted' };
    },
  } as unknown as CommandBus;
  return { asked, renew: () => new Leases(renewer, submissions, commands).renew(caller, renewal) };
}

test('a lease that can be renewed costs no command', async () => {
  const { asked, renew } = leases(until);
  expect([await renew(), asked]).toEqual([{ until }, { rows: 1, decider: 0 }]);
});

test('one that came alive while the decider was asked is renewed then', async () => {
  const { asked, renew } = leases(undefined, until);
  expect([await renew(), asked]).toEqual([{ until }, { rows: 2, decider: 1 }]);
});

test('one that changes all the time is given up as unavailable, after two looks', async () => {
  const { asked, renew } = leases(undefined, undefined, until);
  await expect(renew()).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toEqual({ rows: 2, decider: 1 });
});
