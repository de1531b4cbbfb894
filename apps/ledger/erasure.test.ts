import type { CommandBus } from '@nestjs/cqrs';
import type { UserScopes } from '#log';
import { scopeKey } from '#session';
import { Erasure, MOST_SCOPES } from './erasure.js';
import type { Submissions } from './submissions.js';

const caller = { tenant: 'acme', principal: 'operator', operate: true };

/** Erases a user's scopes of which so many have details; how many commands were under way at once. */
function erasing(count: number) {
  const keys = Array.from({ length: count }, (_, index) =>
    scopeKey({ tenant: 'acme', userId: 'ada', projectId: `p${index}` }),
  );
  const scopes = { detailed: async (_: string, limit: number) => keys.slice(0, limit) };
  const submissions = { scope: () => ({ scopeKey: keys[0] }), erase: () => ({}) };
  const under = { way: 0, most: 0 };
  const commands = {
    async execute() {
      under.most = Math.max(under.most, ++under.way);
      await new Promise(setImmediate);
      under.way -= 1;
      return { kind: 'accepted', outcome: 'erased', position: { partition: 0, sequence: 1 } };
    },
  };
  const erasure = new Erasure(
    scopes as unknown as UserScopes,
    submissions as unknown as Submissions,
    commands as unknown as CommandBus,
  );
  return { erase: () => erasure.erase(caller, 'ada'), under };
}

test.each([
  [0, 0, true],
  [MOST_SCOPES - 1, MOST_SCOPES - 1, true],
  [MOST_SCOPES, MOST_SCOPES, true],
  [MOST_SCOPES + 1, MOST_SCOPES, false],
])('of %i scopes %i are erased at once, and complete is %p', async (count, erased, complete) => {
  const { erase, under } = erasing(count);
  const answer = await erase();
  expect([answer.erased.length, answer.complete]).toEqual([erased, complete]);
  expect(under.most).toBeLessThanOrEqual(50);
});
