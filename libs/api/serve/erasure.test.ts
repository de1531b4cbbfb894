import { parseScopeKey, scopeKey } from '#session';
import { callerOf, type Ledger, unkeyed } from '../index.js';
import { serving } from './index.js';

const caller = callerOf({
  tenant: 'acme',
  ledgerWide: false,
  principal: 'operator',
  permissions: ['operate'],
});
/** Most scopes that one request erases. */
const MOST_SCOPES = 500;

/** A ledger in which so many of a user's scopes have details, and how many commands were under way at once. */
function erasing(count: number) {
  const keys = Array.from({ length: count }, (_, index) =>
    scopeKey({ tenant: 'acme', userId: 'ada', projectId: `p${index}` }),
  );
  const under = { way: 0, most: 0 };
  const ledger = {
    partitions: 16,
    newCommandId: () => 'command',
    scopes: { detailed: async (_: string, limit: number) => keys.slice(0, limit) },
    async submit() {
      under.most = Math.max(under.most, ++under.way);
      await new Promise(setImmediate);
      under.way -= 1;
      return { kind: 'accepted', outcome: 'erased', position: { partition: 0, sequence: 1 } };
    },
  } as unknown as Ledger;
  const { userId } = parseScopeKey(scopeKey({ tenant: 'acme', userId: 'ada', projectId: 'any' }));
  const asked = { ...unkeyed(caller), query: { userId } };
  return { erase: () => serving.eraseDetails(asked as never, ledger), under };
}

test.each([
  [0, 0, true],
  [MOST_SCOPES - 1, MOST_SCOPES - 1, true],
  [MOST_SCOPES, MOST_SCOPES, true],
  [MOST_SCOPES + 1, MOST_SCOPES, false],
])('of %i scopes %i are erased at once, and complete is %p', async (count, erased, complete) => {
  const { erase, under } = erasing(count);
  const { body } = await erase();
  expect(body).toMatchObject({ erased: { length: erased }, complete });
  expect(under.most).toBeLessThanOrEqual(50);
});
