import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { freePort, type RunningPostgres, startPostgres } from '#dev-stack';
import { Canaries } from '../support/canaries.js';
import { ask, type Call } from '../support/http.js';
import { contains, startProxy, type TcpProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import type { CommandBody } from '../support/sessions.js';

// Whatever is sent, and whatever goes wrong: ids of sessions, handles, keys and the rest of what callers send never
// stand in what the service and its Postgres write, nor in its metrics and health. Promise 7.
const canaries = new Canaries();
const [kafkaHost = '', kafkaPort] = (process.env.TEST_KAFKA_BROKERS ?? '').split(':');
let directory: string;
let postgres: RunningPostgres;
let database: TcpProxy;
let kafka: TcpProxy;
/** One that does everything, behind faulty networks, and one that serves the API alone. */
let services: [Service, Service];
/** A connection of the database's owner, beside the service's own. */
let administrator: pg.Client;
/** What was scraped. */
const scraped: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'masking-'));
  postgres = await startPostgres({ dataDir: directory, port: await freePort(), log: () => {} });
  const { hostname: host, port } = new URL(postgres.url);
  administrator = new pg.Client({ connectionString: postgres.url });
  await administrator.connect();
  database = await startProxy({ target: { host, port: Number(port) } });
  kafka = await startProxy({ target: { host: kafkaHost, port: Number(kafkaPort) }, kafka: true });
  services = [
    await startService({ databaseUrl: database.reroute(postgres.url), kafkaBrokers: kafka.address }),
    await startService({ databaseUrl: postgres.url, env: { LEDGER_ROLES: 'api' } }),
  ];
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('SIGKILL')));
  await Promise.all([database.close(), kafka.close(), administrator.end()]);
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
const fresh = (kind: string) => canaries.make(`${kind}-${++count}`);
const owner = (environment: string) => ({
  environment: canaries.make(environment),
  instance: canaries.make('instance'),
});

const handle = (binds: string) => ({ kind: 'mcp-transport', value: fresh('handle'), binds });

/** Sends a request with a credential and a key of its own, and learns the sessions of its answer. */
async function send<Body = CommandBody>({ url }: Service, path: string, call: Call = {}) {
  const headers = {
    authorization: `Bearer ${canaries.make('credential')}`,
    'idempotency-key': fresh('key'),
    ...call.headers,
  };
  const reply = await ask<Body>(url + path, { ...call, headers });
  canaries.learn(reply.text);
  return reply;
}

const startBody = (more: object = {}) => ({
  userId: fresh('user'),
  projectId: canaries.make('project'),
  owner: owner('dev'),
  lease: { seconds: 60 },
  handles: [handle('scope'), handle('session')],
  attributes: { [canaries.make('name')]: canaries.make('value') },
  ...more,
});

/** One session through all commands and reads; their statuses. */
async function everyCommand(service: Service): Promise<number[]> {
  const body = startBody({ phase: 'starting' });
  const scope = `userId=${body.userId}&projectId=${body.projectId}`;
  const statuses: number[] = [];
  const step = async (path: string, call?: Call) => {
    const reply = await send(service, path, call);
    statuses.push(reply.status);
    return reply.body?.session?.sessionId;
  };
  const id = (await step('/v1/sessions', { body })) ?? '01920000-0000-7003-8000-000000000000';
  const to = (action: string, more: object, of = id) => step(`/v1/sessions/${of}/${action}`, { body: more });
  await to('activate', { epoch: 1, owner: body.owner });
  await to('renew', { epoch: 1 });
  await step('/v1/leases/renew', { body: [{ sessionId: id, epoch: 1 }] });
  await to('touch', {});
  const attributes = { [canaries.make('name')]: canaries.make('changed') };
  await step(`/v1/sessions/${id}/attributes`, { method: 'PATCH', body: { epoch: 1, attributes } });
  await to('release', { epoch: 1, to: owner('debug') });
  await to('claim', { epoch: 2, owner: owner('third') });
  await to('claim', { epoch: 2, owner: owner('debug') });
  const [bind, unbind] = [[handle('session')], [{ kind: 'mcp-transport', value: fresh('handle') }]];
  await to('handles', { epoch: 3, bind, unbind });
  const candidates = [...body.handles, ...bind].map(({ kind, value }) => ({ kind, value }));
  await step('/v1/resolve', { body: { candidates } });
  await step('/v1/resolve', { body: { candidates: unbind } });
  const successorHandle = { kind: 'agent', value: fresh('handle') };
  const rotation = { epoch: 3, reason: canaries.make('reason'), versionId: canaries.make('version') };
  const next = (await to('rotate', { ...rotation, successorHandle })) ?? id;
  const stop = { origin: owner('dev'), reason: canaries.make('stop') };
  await to('end', { ...stop, epoch: 1 });
  for (const path of ['current', 'events']) await step(`/v1/${path}?${scope}`);
  await step(`/v1/current?${scope}&wait=1&after=99`, { headers: { 'if-none-match': '*' } });
  for (const path of [`/v1/sessions/${id}`, '/v1/feed?partition=0', '/v1/snapshot']) await step(path);
  await to('end', { ...stop, epoch: 4, drainSeconds: 60, force: true }, next);
  await to('end', { ...stop, epoch: 4, force: true }, next);
  await to('renew', { epoch: 4 }, next);
  const bulk = { select: owner('third'), action: 'end', reason: canaries.make('bulk') };
  const { status, headers } = await send(service, '/v1/bulk', { body: bulk });
  statuses.push(status);
  await step(`${headers.get('location') ?? '/v1/bulk'}?wait=5`);
  await step(`/v1/details?userId=${body.userId}`, { method: 'DELETE' });
  return statuses;
}

/** What makes no sense, with canaries wherever something can stand. */
async function everyMistake(service: Service): Promise<number[]> {
  const bad = canaries.make('bad');
  const begun = startBody();
  const taken = begun.handles;
  const { session } = (await send(service, '/v1/sessions', { body: begun })).body;
  const mistakes: [path: string, call?: Call][] = [
    [`/v1/${bad}`],
    [`/v1/sessions/${bad}/end`, { body: { epoch: 1 } }],
    [`/v1/sessions/${session.sessionId}/${bad}`, { body: {} }],
    [`/v1/sessions/${session.sessionId}/end`, { method: 'PATCH', body: {} }],
    [`/v1/sessions/${session.sessionId}/end`, { body: { epoch: bad, origin: bad, [bad]: bad } }],
    [`/v1/sessions/${session.sessionId.replace('-7', '-8')}/renew`, { body: { epoch: 1 } }],
    [`/v1/sessions/${bad.repeat(20)}`],
    [`/v1/current?userId=%ff${bad}`],
    [`/v1/current?${bad}=${bad}`],
    ['/v1/sessions', { body: `{"userId":"${bad}"` }],
    ['/v1/sessions', { body: `"${bad}"`, headers: { 'content-type': `text/${bad}` } }],
    ['/v1/sessions', { body: startBody({ userId: `${bad}\u0000` }) }],
    ['/v1/sessions', { body: startBody({ handles: taken }) }],
    ['/v1/resolve', { body: { candidates: [{ kind: bad.toUpperCase(), value: bad }] } }],
    ['/v1/resolve', { body: { candidates: [{ sessionId: session.sessionId, epoch: 9 }] } }],
    ['/v1/sessions', { body: startBody({ attributes: { [bad]: bad.repeat(200) } }) }],
    ['/v1/sessions', { body: startBody({ userId: bad.repeat(4_000) }) }],
    ['/v1/sessions', { body: startBody(), headers: { 'idempotency-key': bad.repeat(20) } }],
    ['/v1/feed/stream', { headers: { 'last-event-id': bad } }],
    [`/v1/feed?partition=${bad}`],
  ];
  const statuses = [];
  for (const [path, call] of mistakes) statuses.push((await send(service, path, call)).status);
  await noHttp(service, `${bad} /v1/sessions/${session.sessionId} HTTP/9.9\r\n${bad}\r\n\r\n`);
  return statuses;
}

/** Sends bytes that are no HTTP, and waits until the connection is closed. */
async function noHttp({ url }: Service, bytes: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {}).end(bytes);
  await new Promise((resolve) => socket.resume().once('close', resolve));
}

async function scrape(): Promise<void> {
  for (const { url } of services) {
    for (const path of ['/metrics', '/health/ready', '/health/live']) {
      scraped.push((await ask(`${url}${path}`)).text);
    }
  }
}

const written = () => services.map((service) => service.output()).join('\n');
const postgresLog = () => readFile(join(directory, 'postgres.log'), 'utf8');

afterEach(async () => {
  expect(canaries.leaksIn(written())).toEqual([]);
  await scrape();
  expect(canaries.leaksIn(scraped.join('\n'))).toEqual([]);
  expect(canaries.leaksIn(await postgresLog())).toEqual([]);
});

test('all commands', async () => {
  for (const service of services) {
    expect(await everyCommand(service)).toEqual([
      ...[201, 200, 200, 200, 200, 200, 200, 409, 200, 200, 200, 404, 200], // start to rotate
      ...[409, 200, 200, 304, 200, 200, 200, 200, 200, 409], // a stale stop, reads, the end, a late renewal
      ...[202, 200, 200], // bulk, erasure
    ]);
  }
  expect(canaries.sessions).toBe(4);
});

test('mistakes', async () => {
  for (const service of services) {
    const statuses = await everyMistake(service);
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  }
});

test('what Postgres refuses, and quotes in its errors', async () => {
  await administrator.query(`
    alter table ledger.scopes add constraint refused check (scope_key not like '%refused%') not valid;
    create function public.fail() returns trigger language plpgsql as $$ begin
      if new.scope_key like '%quoted%' then perform new.scope_key::int; end if;
      if new.scope_key like '%named%' and exists (select from ledger.scopes where scope_id = new.scope_id) then
        raise exception 'session % has to stay', (select session_id from ledger.scopes where scope_id = new.scope_id)
          using errcode = '23000';
      end if;
      return new;
    end $$;
    create trigger fail before insert or update on ledger.scopes for each row execute function public.fail()`);
  for (const service of services) {
    const start = async (userId: string) =>
      (await send(service, '/v1/sessions', { body: startBody({ userId }) })).status;
    const named = fresh('named');
    expect(await start(named)).toBe(201);
    for (const userId of [named, fresh('refused'), fresh('quoted')]) expect(await start(userId)).toBe(500);
    for (const code of ['23514', '22P02', '23000']) expect(service.output()).toContain(`writer: ${code} `);
  }
  await administrator.query(
    'drop trigger fail on ledger.scopes; alter table ledger.scopes drop constraint refused',
  );
});

test('Postgres away, answers lost, Kafka away', async () => {
  const [service] = services;
  const { session } = (await send(service, '/v1/sessions', { body: startBody() })).body;
  const { userId, projectId } = session.scope;
  const leaving = new AbortController();
  const { signal } = leaving;
  const stream = send(service, `/v1/stream?userId=${userId}&projectId=${projectId}`, { signal });
  await pause(100);
  kafka.cut();
  expect((await everyCommand(service))[0]).toBe(201);
  database.dropNextReplies(1, contains('commit\0'));
  expect((await everyCommand(service))[0]).toBe(201);
  database.cut();
  expect((await everyCommand(service))[0]).toBe(503);
  await everyMistake(service).catch(() => {}); // it begins with a start, which is answered 503
  await scrape();
  database.heal();
  database.swallowReplies();
  expect((await send(service, '/v1/sessions', { body: startBody() })).status).toBe(503);
  database.heal();
  leaving.abort();
  await expect(stream).rejects.toThrow('abort');
  for (const where of ['writer', 'reader', 'tail']) expect(written()).toContain(`] ${where}: `);
  kafka.heal();
}, 60_000);

test('stops and starts', async () => {
  const ready = async ({ url }: Service) => (await ask(`${url}/health/ready`)).status === 200;
  for (const service of services) {
    const busy = Promise.allSettled(Array.from({ length: 5 }, () => everyCommand(service)));
    await pause(50);
    await service.restart(); // kill -9
    await busy;
    const again = Promise.allSettled(Array.from({ length: 5 }, () => everyCommand(service)));
    await pause(50);
    expect(await service.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await again;

    await service.restart();
    while (!(await ready(service))) await pause(50);
  }
});
