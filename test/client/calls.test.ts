import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClientBusy, isProblem, LedgerClient, LedgerProblem, NoAnswer, UnexpectedAnswer } from '#client';
import { freePort } from '#dev-stack';
import { failed } from '../support/client.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';

let service: Service;
let proxy: TcpProxy;
let ledger: LedgerClient;
const servers: Server[] = [];
beforeAll(async () => {
  service = await startService();
  proxy = await startProxy({ target: { host: '127.0.0.1', port: Number(new URL(service.url).port) } });
  ledger = new LedgerClient({ url: service.url });
});
afterEach(() => proxy.heal());
afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await proxy.close();
});

/** A server that is no ledger, and how often it was asked with which keys. */
async function impostor(listener: RequestListener, options: object = {}) {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers['idempotency-key']);
    request.resume().once('end', () => listener(request, response));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { keys, client: new LedgerClient({ url, deadlineMs: 400, attemptMs: 150, ...options }) };
}

/** For what is answered: a busy machine does not make an attempt of it too many. */
const patient = { deadlineMs: 30_000, attemptMs: 10_000 };
const body = () => ({ userId: newUser(), owner: cloudDev });
const problem = (code: string, status: number) =>
  JSON.stringify({ type: `/problems/${code}`, title: code, status, retryable: true });

describe('a command', () => {
  test('whose answer is lost is repeated with its key, and obeyed once', async () => {
    const client = new LedgerClient({ url: `http://${proxy.address}` });
    proxy.dropNextReplies(2);
    const userId = newUser();
    const { session } = await client.call('startSession', { body: { userId, owner: cloudDev } });
    expect(proxy.swallowed()).toBe(2);
    expect(session.epoch).toBe(1);
    expect(await ledger.current({ userId })).toMatchObject({ sessionId: session.sessionId, epoch: 1 });
  });

  test('carries one key through all attempts, another one in each call, and none with a read', async () => {
    const { client, keys } = await impostor((_, response) => response.writeHead(503).end());
    await failed(client.call('startSession', { body: body() }));
    const first = [...new Set(keys)];
    expect(keys.length).toBeGreaterThan(1);
    expect(first).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    await failed(client.call('startSession', { body: body() }));
    expect(new Set(keys).size).toBe(2);
    await failed(client.current({ userId: 'ada' }));
    expect(keys.at(-1)).toBeUndefined();
  });

  test('can be asked for again with the key of the failure', async () => {
    const client = new LedgerClient({ url: `http://${proxy.address}`, deadlineMs: 300, attemptMs: 100 });
    const request = { body: body() };
    proxy.swallowReplies();
    const error = await failed(client.call('startSession', request));
    proxy.heal();
    expect(error).toMatchObject({
      name: 'NoAnswer',
      outcomeUnknown: true,
      idempotencyKey: expect.any(String),
    });
    const { idempotencyKey } = error as NoAnswer;
    const again = await client.call('startSession', request, { idempotencyKey });
    expect(again.session.epoch).toBe(1);
    const changed = { body: { ...request.body, owner: cloudDebug } };
    const other = await failed(client.call('startSession', changed, { idempotencyKey }));
    expect(isProblem(other, 'key-reused')).toBe(true);
  });

  test.each([400, 401, 403, 404, 409, 413, 422, 500])('answered with %d is not repeated', async (status) => {
    const { client, keys } = await impostor(
      (_, response) =>
        response
          .writeHead(status, { 'content-type': 'application/problem+json' })
          .end(problem('invalid-request', status)),
      patient,
    );
    expect(await failed(client.call('startSession', { body: body() }))).toBeInstanceOf(LedgerProblem);
    expect(keys).toHaveLength(1);
  });

  test.each([408, 429, 502, 503, 504])('answered with %d is repeated', async (status) => {
    let count = 0;
    const { client, keys } = await impostor((_, response) => {
      count += 1;
      response.writeHead(count === 3 ? 400 : status, { 'content-type': 'application/problem+json' });
      response.end(problem(count === 3 ? 'invalid-request' : 'overloaded', count === 3 ? 400 : status));
    }, patient);
    expect(await failed(client.call('startSession', { body: body() }))).toMatchObject({
      code: 'invalid-request',
    });
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
  });

  test('waits as long as Retry-After asks, and does not begin a wait that its deadline would cut', async () => {
    const at: number[] = [];
    const { client } = await impostor((_, response) => {
      at.push(performance.now());
      const head = { 'content-type': 'application/problem+json', 'retry-after': '1' };
      response.writeHead(503, head).end(problem('unknown-outcome', 503));
    });
    const error = await failed(client.call('startSession', { body: body() }, { deadlineMs: 1_800 }));
    expect(error).toMatchObject({ code: 'unknown-outcome', retryable: true, outcomeUnknown: true });
    expect(at).toHaveLength(2);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(990);
    const began = performance.now();
    await failed(client.call('startSession', { body: body() }, { deadlineMs: 900 }));
    expect(performance.now() - began).toBeLessThan(500);
  });

  test('waits until the date that Retry-After names', async () => {
    const at: number[] = [];
    const { client } = await impostor((_, response) => {
      at.push(performance.now());
      response.writeHead(503, { 'retry-after': new Date(Date.now() + 2_000).toUTCString() }).end();
    });
    await failed(client.call('startSession', { body: body() }, { deadlineMs: 3_000 }));
    expect(at.length).toBeGreaterThan(1);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(900); // whole seconds
  });

  test('is sent 20 times at most, however much time there is', async () => {
    const { client, keys } = await impostor((_, response) => response.writeHead(503).end());
    const chance = Math.random;
    Math.random = () => 0; // no pauses
    const error = await failed(client.call('startSession', { body: body() }, { deadlineMs: 60_000 }));
    Math.random = chance;
    expect(error).toBeInstanceOf(UnexpectedAnswer);
    expect(keys).toHaveLength(20);
  });

  test('ends when its signal aborts, with the reason', async () => {
    const { client } = await impostor(() => {}, { deadlineMs: 10_000, attemptMs: 10_000 });
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    expect(await failed(client.call('startSession', { body: body() }, { signal: controller.signal }))).toBe(
      reason,
    );
    expect(
      await failed(client.call('startSession', { body: body() }, { signal: AbortSignal.abort(reason) })),
    ).toBe(reason);
  });

  test('beyond the most at once is refused before it is sent', async () => {
    const { client, keys } = await impostor(() => {}, { maxCalls: 2, gather: false });
    const three = await Promise.all(
      [1, 2, 3].map(() => failed(client.call('startSession', { body: body() }))),
    );
    expect(three.filter((error) => error instanceof ClientBusy)).toHaveLength(1);
    expect(new Set(keys).size).toBe(2);
  });
});

describe('a problem', () => {
  test('has its code, and the current session', async () => {
    const request = body();
    const { session } = await ledger.call('startSession', { body: request });
    const error = await failed(ledger.call('startSession', { body: { ...request, onConflict: 'reject' } }));
    expect(error).toMatchObject({
      code: 'session-active',
      status: 409,
      retryable: false,
      outcomeUnknown: false,
    });
    if (!isProblem(error, 'session-active', 'reserved')) throw error;
    expect(error.current).toEqual(session);
    expect(isProblem(error, 'stale-epoch')).toBe(false);
  });

  test('prints no session id', async () => {
    const request = body();
    const { session } = await ledger.call('startSession', { body: request });
    const error = await failed(ledger.call('startSession', { body: { ...request, onConflict: 'reject' } }));
    const { inspect } = await import('node:util');
    expect(inspect(error) + JSON.stringify(error)).not.toContain(session.sessionId);
  });

  test('of a newer ledger is a problem, too', async () => {
    const { client } = await impostor((_, response) =>
      response
        .writeHead(409, { 'content-type': 'application/problem+json' })
        .end(problem('from-the-future', 409)),
    );
    const error = await failed(client.session('01920000-0000-7003-8000-000000000000'));
    expect(error).toMatchObject({ code: 'unknown-problem', type: '/problems/from-the-future' });
  });
});

const json = { 'content-type': 'application/json' };

describe('an answer', () => {
  const session = {
    sessionId: '01920000-0000-7003-8000-000000000000',
    scope: { userId: 'ada', projectId: 'default' },
    status: 'active',
    epoch: 1,
    revision: 1,
  };
  const answering = async (answer: object) =>
    (await impostor((_, response) => response.writeHead(200, json).end(JSON.stringify(answer)))).client;

  test('of an older ledger may lack what came later', async () => {
    const asSession = await answering(session);
    expect(await asSession.current({ userId: 'ada' })).toEqual(session);
    expect(await asSession.session(session.sessionId)).toEqual(session);
    const command = { outcome: 'started', session, position: { partition: 0, sequence: 1 } };
    expect(await (await answering(command)).join(body())).toEqual(command);
    const stats = { ledger: { partitions: 1, heads: [3] }, sync: { inSync: 0 } };
    expect(await (await answering(stats)).call('stats', {})).toEqual(stats);
    expect(await (await answering({ events: [] })).call('feed', { query: { partition: 0 } })).toEqual({
      events: [],
    });
  });

  test('of a newer ledger is handed on with all that this version does not know', async () => {
    const newer = {
      ...session,
      scope: { ...session.scope, region: 'eu' },
      status: 'hibernating',
      endCause: 'hibernated',
      twin: { sessionId: null },
    };
    const command = {
      outcome: 'hibernated',
      session: newer,
      position: { partition: 0, sequence: 1, shard: 2 },
      more: [{}],
    };
    expect(await (await answering(newer)).current({ userId: 'ada' })).toEqual(newer);
    const client = await answering(command);
    expect(await client.join(body())).toEqual(command);
    const held = await client.start(body());
    expect(held.view).toEqual(newer);
    held.abandon();
  });
});

test("all of a user's current sessions come as a page", async () => {
  const userId = newUser();
  for (const projectId of ['a', 'b']) await ledger.join({ userId, projectId, owner: cloudDev });
  const page: unknown = await ledger.call('currentSession', { query: { userId, all: true } });
  expect(page).toEqual({ sessions: [expect.anything(), expect.anything()] });
});

const strange: { what: string; answer: RequestListener }[] = [
  {
    what: 'a page',
    answer: (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>'),
  },
  {
    what: "a proxy's error page",
    answer: (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad</h1>'),
  },
  { what: 'a way to log in', answer: (_, response) => response.writeHead(302, { location: '/login' }).end() },
  { what: 'no content', answer: (_, response) => response.writeHead(204).end() },
  {
    what: 'half a body',
    answer: (_, response) =>
      response
        .writeHead(200, { ...json, 'content-length': '900' })
        .write('{"outcome":', () => response.destroy()),
  },
  {
    what: 'half a body that claims to be whole',
    answer: (_, response) => response.writeHead(200, json).end('{"outcome":'),
  },
  { what: 'other JSON', answer: (_, response) => response.writeHead(200, json).end('{"ok":true}') },
  { what: 'null', answer: (_, response) => response.writeHead(200, json).end('null') },
  {
    what: 'a session that is none',
    answer: (_, response) =>
      response.writeHead(200, json).end('{"outcome":"started","session":{"sessionId":7},"position":{}}'),
  },
  {
    what: 'bytes that are no text',
    answer: (_, response) => response.writeHead(200, json).end(Buffer.from([0xff, 0xfe, 0x00])),
  },
  { what: 'a problem that is none', answer: (_, response) => response.writeHead(409, json).end('["no"]') },
  { what: 'more than any answer', answer: (_, response) => flood(response) },
];

function flood(response: import('node:http').ServerResponse) {
  const chunk = Buffer.alloc(1 << 20, ' ');
  response.writeHead(200, json);
  const more = () => {
    while (!response.destroyed && response.write(chunk)) if (response.destroyed) return;
    response.once('drain', more);
  };
  more();
}

test.each(strange)('$what is an unexpected answer, to a command and to a read', async ({ answer }) => {
  const { client } = await impostor(answer, { attemptMs: 3_000, deadlineMs: 1_000 });
  for (const call of [() => client.start(body()), () => client.current({ userId: 'ada' })]) {
    const error = await failed(call());
    expect(error).toBeInstanceOf(UnexpectedAnswer);
    expect(error.message.length).toBeLessThan(300);
  }
});

test('a ledger that is down is no answer, after several attempts and in time', async () => {
  const client = new LedgerClient({ url: `http://127.0.0.1:${await freePort()}`, deadlineMs: 500 });
  const began = performance.now();
  const error = await failed(client.start(body()));
  expect(error).toBeInstanceOf(NoAnswer);
  expect((error as NoAnswer).attempts).toBeGreaterThan(1);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('a slow ledger is given up an attempt at a time', async () => {
  const { client, keys } = await impostor(() => {}, { deadlineMs: 1_000, attemptMs: 200 });
  expect(await failed(client.start(body()))).toBeInstanceOf(NoAnswer);
  expect(keys.length).toBeGreaterThan(2);
});

test('connections are used again', async () => {
  const sockets = new Set<unknown>();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    response
      .writeHead(404, { 'content-type': 'application/problem+json' })
      .end(problem('no-current-session', 404));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const client = new LedgerClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  for (let calls = 0; calls < 20; calls++) expect(await client.current({ userId: 'ada' })).toBeUndefined();
  expect(sockets.size).toBeLessThanOrEqual(2);
});

test('an address with a path is a ledger behind a gateway', async () => {
  const paths: unknown[] = [];
  const { client } = await impostor((request, response) => {
    paths.push(request.url);
    response.writeHead(404).end();
  });
  const behind = new LedgerClient({ url: `${client.url}/team/ledger/` });
  await failed(behind.current({ userId: 'a b&c/d', projectId: 'ü' }));
  expect(paths).toEqual(['/team/ledger/v1/current?userId=a%20b%26c%2Fd&projectId=%C3%BC']);
  expect(() => new LedgerClient({ url: 'ftp://ledger' })).toThrow('speaks HTTP');
  expect(() => new LedgerClient({ url: 'ledger' })).toThrow('Invalid URL');
});

test('history comes in order, over pages', async () => {
  const userId = newUser();
  for (let starts = 0; starts < 3; starts++)
    await ledger.call('startSession', { body: { userId, owner: cloudDebug } });
  const types: string[] = [];
  for await (const event of ledger.history({ userId })) types.push(event.type.split('.')[1] as string);
  const next = ['SessionSuperseded', 'SessionStarted'];
  expect(types).toEqual(['SessionStarted', ...next, ...next]);
});
