import { jest } from '@jest/globals';
import { LedgerClient, type Loss, type Session } from '#client';
import { MemoryLedger } from '#memory-ledger';
import { cloudDev } from '../support/sessions.js';

/** What an owner without a lease learns by waiting on its scope, of which nobody else tells it. */

// Ten seconds and a half minute pass at once; what runs in this process goes on as ever.
beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());
const pass = async (ms: number) => {
  for (let passed = 0; passed < ms; passed += 50) {
    await jest.advanceTimersByTimeAsync(50);
    await new Promise(setImmediate);
  }
};

/** A client whose ledger, or what that says is current, can be another one from one request to the next. */
function clientOf(ledger: MemoryLedger) {
  const at: { ledger: MemoryLedger; waits: number; restored: Session | undefined } = {
    ledger,
    waits: 0,
    restored: undefined,
  };
  const client = new LedgerClient({
    url: 'http://memory.ledger',
    fetch: async (input, init) => {
      const after = /[?&]wait=.*&after=(\d+)/.exec(String(input))?.[1];
      if (after === undefined) return at.ledger.fetch(input, init);
      at.waits += 1;
      while (at.restored?.revision === Number(after)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        init?.signal?.throwIfAborted();
      }
      return at.restored ? Response.json(at.restored) : at.ledger.fetch(input, init);
    },
  });
  return { client, at };
}

const scope = { userId: 'ada' };
async function started(ledger = new MemoryLedger()) {
  const { client, at } = clientOf(ledger);
  const session = await client.start({ ...scope, owner: cloudDev });
  const losses: Loss[] = [];
  session.onLost((loss) => losses.push(loss));
  return { client, at, session, losses };
}

test('a session that the restored ledger does not know is lost, and nobody is asked without end', async () => {
  const { client, at, session, losses } = await started();
  at.ledger = new MemoryLedger();
  await pass(60_000); // what waits at the old one is answered after half a minute
  expect([losses, at.waits < 40]).toEqual([[expect.objectContaining({ why: 'unknown-session' })], true]);
  expect([session.state, await session.run(() => 1).catch((error) => error.why)]).toEqual(['lost', 'lost']);
  client.close();
});

test('a session of which the restored ledger knows an older epoch is lost', async () => {
  const { client, at, session, losses } = await started();
  const { sessionId } = session;
  const old = { ...session.view };
  await session.release({});
  const again = await client.claim({ sessionId, epoch: 2, owner: cloudDev });
  const lost = new Promise<Loss>((resolve) => again.onLost(resolve));
  at.restored = old;
  await pass(60_000);
  expect(await lost).toMatchObject({ why: 'future-epoch', epoch: 3, current: { epoch: 1 } });
  expect(losses).toEqual([]);
  client.close();
});

test('a session that the restored ledger knows under its epoch stays, and what happens to it from then on is heard', async () => {
  const { client, at, session, losses } = await started();
  const old = { ...session.view };
  for (const step of [1, 2, 3]) await session.changeAttributes({ step });
  at.restored = old;
  await pass(60_000);
  expect([session.state, session.view.revision]).toEqual(['held', 1]);
  at.restored = { ...old, revision: 2, attributes: { step: 'other' } };
  await pass(10_000);
  expect([session.state, session.view.attributes, losses]).toEqual(['held', { step: 'other' }, []]);
  client.close();
});

test('a replica that lags for a moment takes no session away', async () => {
  const { client, at, session, losses } = await started();
  const old = { ...session.view };
  for (const step of [1, 2, 3]) await session.changeAttributes({ step });
  at.restored = old;
  await pass(5_000);
  at.restored = undefined;
  await pass(60_000);
  expect([session.state, session.view.revision, losses]).toEqual(['held', 4, []]);
  client.close();
});
