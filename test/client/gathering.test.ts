import { jest } from '@jest/globals';
import { LedgerClient, type LedgerOptions, LedgerProblem, NoAnswer } from '#client';
import { MemoryLedger } from '#memory-ledger';
import { failed } from '../support/client.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

interface Sent {
  path: string;
  /** How many go together; 1 for a request of its own. */
  count: number;
}

/** A client of the service whose requests are written down. `alter` may answer in the service's place. */
function watched(
  alter: (send: () => Promise<Response>, sent: Sent) => Promise<Response> = (send) => send(),
  more: Partial<LedgerOptions> = {},
) {
  const requests: Sent[] = [];
  const client = new LedgerClient({
    ...more,
    url: service.url,
    fetch: (input, init) => {
      const body = typeof init?.body === 'string' ? JSON.parse(init.body) : {};
      const sent = { path: new URL(String(input)).pathname, count: (body.commands ?? body.of ?? [0]).length };
      requests.push(sent);
      return alter(() => fetch(input, init), sent);
    },
  });
  return { client, requests };
}

const body = (userId: string) => ({ userId, owner: cloudDev });
const start = (client: LedgerClient, userId = newUser()) =>
  client.call('startSession', { body: body(userId) });

/** A promise that is settled from outside. */
function pending() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('commands', () => {
  test('of one turn go in one request, and each gets its own answer', async () => {
    const { client, requests } = watched();
    const users = Array.from({ length: 64 }, () => newUser());
    const answers = await Promise.all(users.map((userId) => start(client, userId)));
    expect(requests).toEqual([{ path: '/v1/commands', count: 64 }]);
    expect(answers.map(({ session }) => session.scope.userId)).toEqual(users);
    expect(answers.map(({ outcome }) => outcome)).toEqual(users.map(() => 'started'));
    expect(answers[0]).not.toHaveProperty('status');
  });

  test('that are alone go as they always did', async () => {
    const { client, requests } = watched();
    await start(client);
    await start(client);
    expect(requests).toEqual([
      { path: '/v1/sessions', count: 1 },
      { path: '/v1/sessions', count: 1 },
    ]);
  });

  test('are no more than 500 in a request, and none is left', async () => {
    const { client, requests } = watched();
    await Promise.all(Array.from({ length: 900 }, () => start(client)));
    expect(requests.map(({ count }) => count)).toEqual([500, 400]);
  });

  test('that are large go in several requests', async () => {
    const { client, requests } = watched();
    const attributes = { text: 'ü'.repeat(2_000) };
    const large = Array.from({ length: 200 }, () =>
      client.call('startSession', { body: { ...body(newUser()), attributes } }),
    );
    expect((await Promise.all(large)).every(({ outcome }) => outcome === 'started')).toBe(true);
    expect(requests).toHaveLength(2);
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBe(200);
  });

  test('for one scope keep their order, also over requests', async () => {
    const held = pending();
    const { client, requests } = watched(async (send, { count }) => {
      const response = await send();
      if (count === 2) await held.promise;
      return response;
    });
    const userId = newUser();
    const first = client.call('startSession', { body: body(userId) });
    const beside = start(client);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // The first is under way: this one waits for it, others do not.
    const second = client.call('startSession', { body: { userId, owner: cloudDebug } });
    await start(client);
    held.resolve();
    const [one, , two] = await Promise.all([first, beside, second]);
    expect([one.session.epoch, two.session.epoch]).toEqual([1, 2]);
    expect(requests.map(({ count }) => count)).toEqual([2, 1, 1]);
  });

  test('that are refused have their own error, and spoil nothing', async () => {
    const { client } = watched();
    const userId = newUser();
    await start(client, userId);
    const reject = { ...body(userId), onConflict: 'reject' as const };
    const [good, refused, wrong] = await Promise.all([
      start(client),
      failed<LedgerProblem>(client.call('startSession', { body: reject })),
      failed<LedgerProblem>(client.call('startSession', { body: { ...body(userId), userId: '' } })),
    ]);
    expect(good.outcome).toBe('started');
    expect(refused).toBeInstanceOf(LedgerProblem);
    expect(refused).toMatchObject({ code: 'session-active', status: 409, outcomeUnknown: false });
    expect(refused.current?.scope.userId).toBe(userId);
    expect(wrong).toMatchObject({ code: 'invalid-request', status: 400 });
    expect(wrong.detail).toContain('body.userId');
  });

  test('whose answer is lost are asked for again by their keys, and obeyed once', async () => {
    let lost = 0;
    const { client, requests } = watched(async (send) => {
      const response = await send();
      if (lost++ > 0) return response;
      await response.body?.cancel();
      throw new TypeError('terminated');
    });
    const answers = await Promise.all([start(client), start(client)]);
    expect(answers.map(({ session }) => session.epoch)).toEqual([1, 1]);
    // The pauses differ by chance, so they may come alone.
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });

  test('can be given up one by one', async () => {
    const { client } = watched();
    const gone = new AbortController();
    const one = failed(client.call('startSession', { body: body(newUser()) }, { signal: gone.signal }));
    const other = start(client);
    gone.abort(new Error('not any more'));
    expect((await one).message).toBe('not any more');
    expect((await other).outcome).toBe('started');
  });

  test('that nobody waits for any more end their request', async () => {
    const aborted = pending();
    const client = new LedgerClient({
      url: service.url,
      fetch: (_, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => {
            aborted.resolve();
            reject(init.signal?.reason);
          });
        }),
    });
    const late = [1, 2].map(() =>
      failed<NoAnswer>(client.call('startSession', { body: body(newUser()) }, { deadlineMs: 300 })),
    );
    for (const error of await Promise.all(late)) {
      expect(error).toBeInstanceOf(NoAnswer);
      expect(error.outcomeUnknown).toBe(true);
    }
    await aborted.promise;
  });

  test('go one by one when their list is refused as a whole, each to its own answer', async () => {
    const { client, requests } = watched();
    const long = 'x'.repeat(65);
    const [good, wrong, other] = await Promise.all([
      start(client),
      failed<LedgerProblem>(
        client.call('activateSession', { params: { sessionId: long }, body: { epoch: 1 } }),
      ),
      start(client),
    ]);
    expect([good.outcome, other.outcome, wrong.status]).toEqual(['started', 'started', 400]);
    expect(requests.map(({ count }) => count)).toEqual([3, 1, 1, 1]);
  });

  test('go one by one to a ledger that takes no lists', async () => {
    const { client, requests } = watched(async (send, { path }) =>
      path === '/v1/commands'
        ? new Response('{"type":"/problems/not-found","title":"","status":404,"retryable":false}', {
            status: 404,
            headers: { 'content-type': 'application/problem+json' },
          })
        : send(),
    );
    const answers = await Promise.all([start(client), start(client), start(client)]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['started', 'started', 'started']);
    expect(requests.map(({ path }) => path)).toEqual(['/v1/commands', ...Array(3).fill('/v1/sessions')]);
    await Promise.all([start(client), start(client)]);
    expect(requests).toHaveLength(6);
  });

  test('are sent in a list again a minute after the ledger took none: it may have been upgraded', async () => {
    let refused = 0;
    const { client, requests } = watched(async (send, { path }) =>
      path === '/v1/commands' && ++refused === 1 ? new Response('', { status: 405 }) : send(),
    );
    // The client's clock goes on while the machine sleeps: for it, the machine sleeps here.
    const clock = jest.spyOn(Date, 'now');
    try {
      for (const seconds of [0, 59, 61]) {
        clock.mockImplementation(() => performance.timeOrigin + performance.now() + seconds * 1_000);
        await Promise.all([start(client), start(client)]);
      }
    } finally {
      clock.mockRestore();
    }
    expect(requests.map(({ count }) => count)).toEqual([2, 1, 1, 1, 1, 2]);
  });

  test.each([
    ['a page', 'text/html', '<p>log in</p>'],
    ['too few answers', 'application/json', '{"answers":[{"status":201}]}'],
    ['half a body', 'application/json', '{"answers":['],
    ['answers that are none', 'application/json', '{"answers":[null,3]}'],
  ])('that get %s fail, and say that they may have been obeyed', async (_, type, text) => {
    const { client } = watched(async () => new Response(text, { headers: { 'content-type': type } }));
    const calls = [1, 2].map(() =>
      failed(client.call('startSession', { body: body(newUser()) }, { deadlineMs: 200 })),
    );
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ outcomeUnknown: true });
  });

  test('are not gathered where that is switched off', async () => {
    const paths: string[] = [];
    const client = new LedgerClient({
      url: service.url,
      gather: false,
      fetch: (input, init) => {
        paths.push(new URL(String(input)).pathname);
        return fetch(input, init);
      },
    });
    await Promise.all([start(client), start(client)]);
    expect(paths).toEqual(['/v1/sessions', '/v1/sessions']);
  });
});

test('of 1,024 callers in one process each gets its own answers, one after the other', async () => {
  const { client, requests } = watched(undefined, { maxCalls: 1_024 });
  const users = Array.from({ length: 1_024 }, () => newUser());
  const told = await Promise.all(
    users.map(async (userId) => {
      const { session } = await start(client, userId);
      const rotated = await client.call('rotateSession', {
        params: { sessionId: session.sessionId },
        body: { epoch: session.epoch, reason: 'build' },
      });
      const current = await client.current({ userId });
      return [
        rotated.session.scope.userId,
        rotated.session.epoch,
        current?.sessionId === rotated.session.sessionId,
      ];
    }),
  );
  expect(told).toEqual(users.map((userId) => [userId, 2, true]));
  expect(Math.max(...requests.map(({ count }) => count))).toBeLessThanOrEqual(500);
  expect(requests.length).toBeLessThan(300);
}, 60_000);

describe('reads of what is current', () => {
  test('of one turn go in one request; who has none gets none', async () => {
    const { client, requests } = watched();
    const users = [newUser(), newUser()] as const;
    await Promise.all(users.map((userId) => start(client, userId)));
    requests.length = 0;
    const [one, none, other, site] = await Promise.all([
      client.current({ userId: users[0] }),
      client.current({ userId: newUser() }),
      client.current({ userId: users[1] }),
      client.current({ userId: users[1], projectId: 'site' }),
    ]);
    expect(requests).toEqual([{ path: '/v1/current', count: 4 }]);
    expect([one?.scope.userId, none, other?.scope.userId, site]).toEqual([
      users[0],
      undefined,
      users[1],
      undefined,
    ]);
  });

  test('of a scope that there cannot be fail alone', async () => {
    const { client } = watched();
    const [none, wrong] = await Promise.all([
      client.current({ userId: newUser() }),
      failed<LedgerProblem>(client.current({ userId: '' })),
    ]);
    expect([none, wrong.code]).toEqual([undefined, 'invalid-request']);
  });

  test('that say more than a scope go by themselves', async () => {
    const { client, requests } = watched();
    const userId = newUser();
    await start(client, userId);
    requests.length = 0;
    const query = { userId, include: 'lease' as const };
    await Promise.all([client.call('currentSession', { query }), client.call('currentSession', { query })]);
    expect(requests.map(({ count }) => count)).toEqual([1, 1]);
  });
});

test('the ledger in memory takes lists as well', async () => {
  const memory = new MemoryLedger();
  const client = new LedgerClient({ url: 'http://memory.ledger', fetch: memory.fetch as typeof fetch });
  const answers = await Promise.all([start(client), start(client)]);
  expect(answers.map(({ outcome }) => outcome)).toEqual(['started', 'started']);
});
