import pg from 'pg';
import { refused } from '../support/bad-input.js';
import { ask } from '../support/http.js';
import { contains, startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, type EventsBody, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { becomes } = within(20_000);

const start = ({ url }: Service) => ({ address: `${url}/v1/sessions`, call: startCall() });
const startCall = () => ({ body: { userId: newUser(), owner: cloudDev } });
const health = async ({ url }: Service) => {
  const { status, body } = await ask<{ relay: string; postgres: string }>(`${url}/health/ready`);
  return `${status} postgres ${body.postgres}, relay ${body.relay}`;
};

// In the order in which a start asks: the schema, who the ledger is, where its log ends, who waits for standbys.
test.each([
  "to_regclass('ledger.migrations')",
  'handle_key',
  'from ledger.heads',
  'synchronous_standby_names',
])('a connection that is lost while a replica starts does not end it: %s', async (statement) => {
  const databaseUrl = await freshDatabase();
  await (await startService({ databaseUrl })).stop();
  const { hostname: host, port } = new URL(databaseUrl);
  const proxy = await startProxy({ target: { host, port: Number(port) } });
  proxy.dropNextReplies(1, contains(statement));
  const service = await startService({
    databaseUrl: proxy.reroute(databaseUrl),
    env: { LEDGER_MIGRATE: 'never' },
  });
  expect(proxy.swallowed()).toBe(1);
  expect(service.output()).toContain('A connection to Postgres was lost during the start; trying again.');
  expect((await ask(`${service.url}/v1/sessions`, startCall())).status).toBe(201);
  expect((await service.stop()).code).toBe(0);
  await proxy.close();
});

test('while commands wait for Postgres, as for a missing standby, ready says so; reads are answered', async () => {
  const service = await startService();
  const before = startCall();
  expect((await ask(`${service.url}/v1/sessions`, before)).status).toBe(201);
  expect(await health(service)).toBe('200 postgres ok, relay none');
  const client = new pg.Client({ connectionString: service.databaseUrl });
  await client.connect();
  await client.query('begin');
  await client.query('select from ledger.heads for update');
  const waiting = ask(`${service.url}/v1/sessions`, startCall());
  await becomes(() => health(service), '503 postgres writes-wait, relay none');
  expect((await ask(`${service.url}/v1/current?userId=${before.body.userId}`)).status).toBe(200);
  await waiting; // given up meanwhile
  expect(await health(service)).toBe('503 postgres writes-wait, relay none');
  await client.end();
  expect((await ask(`${service.url}/v1/sessions`, startCall())).status).toBe(201);
  expect(await health(service)).toBe('200 postgres ok, relay none');
});

describe('Postgres away', () => {
  let proxy: TcpProxy;
  let service: Service;
  beforeAll(async () => {
    const url = await freshDatabase();
    const { hostname: host, port } = new URL(url);
    proxy = await startProxy({ target: { host, port: Number(port) } });
    service = await startService({ databaseUrl: proxy.reroute(url) });
  });
  afterEach(() => proxy.heal());
  afterAll(() => proxy.close());

  test('commands and reads are answered 503 with when to come back, and work again by themselves', async () => {
    const before = startCall();
    const started = await ask(`${service.url}/v1/sessions`, before);
    expect(started.status).toBe(201);
    // What this replica has just committed is served from memory; any other partition has to be read.
    const [written] = (started.headers.get('ledger-position') ?? '').split(':');
    const partition = written === '0' ? 1 : 0;
    proxy.cut();
    const userId = before.body.userId;
    for (const [path, call] of [
      ['/v1/sessions', startCall()],
      [`/v1/current?userId=${userId}`, {}],
      [`/v1/current?userId=${userId}&wait=1&after=1`, {}],
      [`/v1/events?userId=${userId}`, {}],
      [`/v1/sessions/01920000-0000-7003-8000-000000000000`, {}],
      [`/v1/stream?userId=${userId}`, {}],
      [`/v1/feed?partition=${partition}`, {}],
      ['/v1/snapshot', {}],
    ] as const) {
      const { answer, faults, headers } = await refused(`${service.url}${path}`, call);
      expect([path, answer, faults]).toEqual([path, '503 unavailable', []]);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await health(service)).toBe('503 postgres unavailable, relay none');
    expect((await ask(`${service.url}/health/live`)).status).toBe(200);

    proxy.heal();
    await becomes(() => health(service), '200 postgres ok, relay none', 5_000);
    expect((await ask(`${service.url}/v1/current?userId=${userId}`)).status).toBe(200);
    const { address, call } = start(service);
    expect((await ask(address, call)).status).toBe(201);
  });

  test('a database that is read-only makes the replica unready, and reads go on', async () => {
    const { pathname } = new URL(service.databaseUrl);
    const [address, call] = [`${service.url}/v1/sessions`, startCall()];
    expect((await ask(address, call)).status).toBe(201);
    const setReadOnly = async (value: 'on' | 'off') => {
      const administrator = new pg.Client(process.env.TEST_DATABASE_URL);
      await administrator.connect();
      await administrator.query(
        `alter database ${pathname.slice(1)} set default_transaction_read_only = ${value}`,
      );
      await administrator.end();
      proxy.cut(); // a setting of the database holds for new connections
      proxy.heal();
    };
    await setReadOnly('on');
    await becomes(() => health(service), '503 postgres read-only, relay none', 10_000);
    expect((await ask(`${service.url}/v1/current?userId=${call.body.userId}`)).status).toBe(200);
    // One that reads from a standby has never found anything else, and is there for reads.
    const { databaseUrl } = service;
    const reader = await startService({ databaseUrl, env: { LEDGER_MIGRATE: 'never', LEDGER_ROLES: 'api' } });
    expect(await health(reader)).toBe('200 postgres read-only, relay none');
    await setReadOnly('off');
    await becomes(() => health(service), '200 postgres ok, relay none', 10_000);
    expect((await ask(address, startCall())).status).toBe(201);
  });

  test('an answer that is lost on the way is found again: obeyed once, and told so', async () => {
    const { address, call } = start(service);
    proxy.dropNextReplies(1, contains('commit\0'));
    const { status } = await ask(address, call);
    expect(proxy.swallowed()).toBe(1);
    expect(status).toBe(201);
    const { body } = await ask<EventsBody>(`${service.url}/v1/events?userId=${call.body.userId}`);
    expect(body.events).toHaveLength(1);
  });

  test('a database that does not answer keeps nobody waiting for long', async () => {
    proxy.swallowReplies();
    const began = performance.now();
    const { address, call } = start(service);
    const { answer } = await refused(address, call);
    expect(answer).toMatch(/^503 /);
    expect(performance.now() - began).toBeLessThan(20_000);
    proxy.heal();
    await becomes(async () => String((await ask(address, startCall())).status), '201', 10_000);
  });
});

describe('Kafka away', () => {
  test('never there: commands go on, the service is ready, the relay is behind', async () => {
    const service = await startService({ kafkaBrokers: '127.0.0.1:1' });
    const { address, call } = start(service);
    expect((await ask(address, call)).status).toBe(201);
    await becomes(() => health(service), '200 postgres ok, relay behind', 10_000);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });

  test('gone and back: what was written meanwhile is relayed', async () => {
    const [host = '', port] = (process.env.TEST_KAFKA_BROKERS ?? '').split(':');
    const proxy = await startProxy({ target: { host, port: Number(port) }, kafka: true });
    const service = await startService({ kafkaBrokers: proxy.address });
    const { address } = start(service);
    await ask(address, startCall());
    const behind = async () => {
      const { text } = await ask(`${service.url}/metrics`);
      return /^ledger_relay_behind_events (.*)$/m.exec(text)?.[1] ?? '';
    };
    type Relayed = { relayPartitions?: { relaying: number } };
    const relayed = async () => {
      const { body } = await ask<Relayed>(`${service.url}/health/ready`);
      return String(body.relayPartitions?.relaying);
    };
    await becomes(relayed, '16', 20_000); // before it has all of them it counts only what it has
    await becomes(behind, '0', 10_000);
    proxy.cut();
    for (let count = 0; count < 5; count++) expect((await ask(address, startCall())).status).toBe(201);
    await becomes(() => health(service), '200 postgres ok, relay behind', 20_000);
    expect(await behind()).toBe('5');
    proxy.heal();
    await becomes(behind, '0', 20_000);
    await becomes(() => health(service), '200 postgres ok, relay relaying', 20_000);
    await service.stop();
    await proxy.close();
  });
});

test('after an outage whoever asks for it reads the times that hold; what an ETag stands for stays as it is', async () => {
  // Without a reaper: how long it was away is said by hand.
  const { url, databaseUrl } = await startService({ env: { LEDGER_ROLES: 'api' } });
  const body = (more: object) => ({ body: { epoch: 1, ...more } });
  const begin = async (more: object = {}) => {
    const { session } = (
      await ask<CommandBody>(`${url}/v1/sessions`, { body: { ...startCall().body, ...more } })
    ).body;
    return { path: `${url}/v1/sessions/${session.sessionId}`, userId: session.scope.userId };
  };
  const released = await begin({ policy: { endReleasedAfterSeconds: 200 } });
  await ask(`${released.path}/release`, body({ to: cloudDev, reservedSeconds: 40 }));
  const ending = await begin();
  await ask(`${ending.path}/end`, body({ origin: cloudDev, reason: 'r', drainSeconds: 30 }));
  const read = async (query: string) => (await ask<object>(`${url}/v1/current?userId=${query}`)).body;
  const plain = await Promise.all([released, ending].map(({ userId }) => read(userId)));
  const leased = () => Promise.all([released, ending].map(({ userId }) => read(`${userId}&include=lease`)));
  expect(await leased()).toEqual(plain);

  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    `update ledger.reaper set resumed_at = back
       from date_trunc('milliseconds', clock_timestamp() + interval '700 s') as back returning back`,
  );
  await client.end();
  const after = (seconds: number) => new Date(rows[0].back.getTime() + seconds * 1_000).toISOString();
  expect(await leased()).toEqual([
    { ...plain[0], reservedUntil: after(40), expiresAt: after(60) },
    { ...plain[1], drainUntil: after(30) },
  ]);
  expect(await Promise.all([released, ending].map(({ userId }) => read(userId)))).toEqual(plain);
});
