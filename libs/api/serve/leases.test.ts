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

describe('a list', () => {
  const ids = (count: number) =>
    Array.from({ length: count }, (_, one) => `01890000-0000-7000-8000-${String(one).padStart(12, '0')}`);
  /** A ledger that knows none of the sessions, and holds every command that it is asked until it is told to answer. */
  function unknown() {
    const asked: (() => void)[] = [];
    const seen = { most: 0, underWay: 0 };
    const ledger = {
      partitions: 16,
      newCommandId: () => 'command',
      renew: async () => undefined,
      submit: async () => {
        seen.underWay += 1;
        seen.most = Math.max(seen.most, seen.underWay);
        await new Promise<void>((answer) => asked.push(answer));
        seen.underWay -= 1;
        return { kind: 'unknown-session' };
      },
    } as unknown as Ledger;
    const list = async (count: number) => {
      const body = ids(count).map((sessionId) => ({ sessionId, epoch: 1 }));
      return serving.renewLeases({ ...unkeyed(caller), params: {}, body } as never, ledger);
    };
    const answerAll = async (over: () => boolean) => {
      while (!over()) {
        for (const answer of asked.splice(0)) answer();
        await new Promise(setImmediate);
      }
    };
    return { seen, list, answerAll };
  }

  test('puts at most 50 before the decider at once, and so do several together; each is answered in its place', async () => {
    const { seen, list, answerAll } = unknown();
    let isOver = false;
    const lists = Promise.all([list(1_000), list(1_000), list(3)]).finally(() => {
      isOver = true;
    });
    await answerAll(() => isOver);
    expect(seen.most).toBe(50);
    for (const { body } of await lists) {
      const { results } = body as { results: { sessionId: string; problem: { type: string } }[] };
      expect(results.map((result) => result.sessionId)).toEqual(ids(results.length));
      expect(new Set(results.map(({ problem }) => problem.type))).toEqual(
        new Set(['/problems/unknown-session']),
      );
    }
  });

  test('of another ledger waits for none of them', async () => {
    const [one, other] = [unknown(), unknown()];
    const waiting = one.list(100);
    const small = other.list(10);
    await other.answerAll(() => other.seen.most === 10 && other.seen.underWay === 0);
    await small;
    let isOver = false;
    waiting.finally(() => {
      isOver = true;
    });
    await one.answerAll(() => isOver);
  });
});
