import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openKafka } from '#broker';
import { Follower, LedgerClient } from '#client';
import { execute } from '../support/database.js';
import { ask } from '../support/http.js';
import { startLoad } from '../support/load.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, type EventsBody, newUser } from '../support/sessions.js';
import { openSse } from '../support/sse.js';
import { within } from '../support/until.js';
import { type Cluster, fromBackup, newCluster, sharedFolder } from './cluster.js';
import { blocksBelow, statementsOf } from './page.js';

const { until, becomes } = within(40_000);

// The drill of docs/running.md: installed, backed up and restored by the very lines of that page.

const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const brokers = process.env.TEST_KAFKA_BROKERS ?? '';
const topic = freshTopic();

/** Where the write-ahead log is archived. */
let wal: string;
let primary: Cluster;
let backup: string;
/** The address of the database: that of the restored server takes over the name of the lost one. */
let address: TcpProxy;
const target = { host: '127.0.0.1', port: 0 };
let service: Service;

/** What was acknowledged and archived. */
let kept: string[][];
/** Between the base backup and the end of what is archived. */
let moment: string;
let atMoment: string[][];
/** As a follower stores it with its positions. */
let ledgerId: string;

const leased = newUser();
const moved = newUser();
let ofLeased: CommandBody['session'];
let ofMoved: CommandBody['session'];

const as = (login: 'ledger_owner' | 'ledger_service', port: number) =>
  `postgres://${login}:secret@127.0.0.1:${port}/drill`;
const start = (userId: string, owner: object, more: object = {}) =>
  ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner, ...more } });
const current = async (userId: string) => (await ask(`${service.url}/v1/current?userId=${userId}`)).body;
interface Ready {
  postgres: string;
  relay: string;
  relayCode?: string;
  relayWhy?: string;
}
const ready = async () => (await ask<Ready>(`${service.url}/health/ready`)).body;
const restores = async () =>
  (await ask<{ ledger: { restores: number } }>(`${service.url}/v1/stats`)).body.ledger.restores;

/** Every event of every partition. */
async function log({ url }: Service): Promise<string[][]> {
  const partitions = Array.from({ length: 16 }, async (_, partition) => {
    const events: string[] = [];
    for (let next: number | undefined = 0; next !== undefined; ) {
      const path: string = `/v1/feed?partition=${partition}&after=${next}&limit=500`;
      const { body } = await ask<EventsBody>(url + path);
      events.push(...body.events.map((one) => JSON.stringify(one)));
      next = body.next;
    }
    return events;
  });
  return Promise.all(partitions);
}

/** Runs the command line against a server, as a login. */
function command(url: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH, DATABASE_URL: url, KAFKA_BROKERS: brokers, LEDGER_TOPIC: topic };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

/** Fills the rest of the file of the write-ahead log at hand, and waits until it is in the archive. */
async function untilArchived(): Promise<void> {
  const { rows } = await execute(primary.url, 'select pg_walfile_name(pg_switch_wal()) as name');
  const last = async () =>
    (await execute(primary.url, 'select last_archived_wal as name from pg_stat_archiver')).rows[0].name ?? '';
  await until(async () => (await last()) >= rows[0].name);
}

async function untilInKafka({ partition, sequence }: CommandBody['position']): Promise<void> {
  const kafka = openKafka({ brokers: brokers.split(','), log: () => undefined });
  const ends = async () =>
    (await kafka.bounds(topic)).some((one) => one.partition === partition && one.end === sequence);
  await until(ends).finally(() => kafka.close());
}

/** The settings of the page for a restore, and those of an earlier moment; `/wal` is where ours is. */
async function restored(more: readonly string[] = []): Promise<Cluster> {
  const [settings = ''] = await blocksBelow('Restore');
  const lines = settings.replaceAll('/wal', wal).split('\n');
  const cluster = await fromBackup(backup, 'recovery.signal', [...lines, ...more]);
  const recovers = async () => (await execute(cluster.url, 'select pg_is_in_recovery() as is')).rows[0].is;
  await becomes(recovers, false);
  return cluster;
}

beforeAll(async () => {
  wal = await sharedFolder();
  const [archiving = ''] = await blocksBelow('Backups');
  primary = await newCluster(statementsOf(archiving.replaceAll('/wal', wal)));
  const [logins = ''] = await blocksBelow('Database');
  const ofDrill = logins.replaceAll(/database ledger\b/g, 'database drill').replaceAll('…', 'secret');
  for (const one of statementsOf(ofDrill)) await execute(primary.url, one);
  const owner = as('ledger_owner', primary.port);
  expect(await command(owner, 'migrate', '--service-login', 'ledger_service')).toMatchObject({ code: 0 });
  target.port = primary.port;
  address = await startProxy({ target });
  service = await startService({
    databaseUrl: as('ledger_service', address.port),
    kafkaBrokers: brokers,
    topic,
    env: { LEDGER_MIGRATE: 'never' },
  });
}, 120_000);
afterAll(async () => {
  await service.stop();
  await address.close();
});

test('the base backup is taken under load, and the log of what comes after is archived', async () => {
  const load = startLoad(service.url, 8);
  await until(() => load.sent.filter(({ status }) => status === 201).length > 100);
  backup = await primary.baseBackup();
  const before = load.sent.length;
  await until(() => load.sent.length > before + 100);
  const sent = await load.stop();
  expect(sent.filter(({ status }) => status !== 201)).toEqual([]);

  const handles = [{ kind: 'call', value: 'a-handle', binds: 'scope' }];
  ofLeased = (await start(leased, cloudDev, { lease: { seconds: 60 }, handles })).body.session;
  atMoment = await log(service);
  moment = (await execute(primary.url, 'select clock_timestamp()::text as now')).rows[0].now;
  ofMoved = (await start(moved, cloudDev)).body.session;
  await until(async () => (await ready()).relay === 'relaying');
  kept = await log(service);
  await untilArchived();
}, 90_000);

test('the server is lost: the restored one has what was archived, and says what Kafka has beyond it', async () => {
  const follower = new Follower({
    ledger: new LedgerClient({ url: service.url }),
    from: 'present',
    lookMs: 300,
    onEvents: () => undefined,
    onStopped: () => undefined,
  });
  await until(() => follower.positions.size > 0);
  ledgerId = follower.ledgerId ?? '';
  const stream = await openSse(`${service.url}/v1/stream?userId=${moved}`);
  const page = await ask(`${service.url}/v1/feed?partition=0`);
  expect(page.headers.get('ledger-restores')).toBe('0');
  const lost = (await start(moved, cloudDebug)).body;
  await untilInKafka(lost.position);

  await primary.lose();
  await becomes(async () => (await ready()).postgres, 'unavailable');
  expect(await start(newUser(), cloudDev)).toMatchObject({ status: 503 });
  const server = await restored();
  target.port = server.port;
  await becomes(async () => (await ready()).postgres, 'ok');

  // Whatever was archived is there, as it was.
  await becomes(restores, 1);
  expect(await log(service)).toEqual(kept);
  expect(await current(moved)).toEqual(ofMoved);
  expect(await current(leased)).toEqual(ofLeased);
  const renewal = { body: { epoch: ofLeased.epoch } };
  expect(await ask(`${service.url}/v1/sessions/${ofLeased.sessionId}/renew`, renewal)).toMatchObject({
    status: 200,
  });
  const candidates = [{ kind: 'call', value: 'a-handle' }];
  const meant = await ask<CommandBody>(`${service.url}/v1/resolve`, { body: { candidates } });
  expect(meant.body.session).toMatchObject({ sessionId: ofLeased.sessionId });

  // Who knew what is lost is told so.
  await stream.ended;
  expect(['restored', 'position-ahead']).toContain((await follower.done)?.code);
  const again = await ask(`${service.url}/v1/feed?partition=0`);
  expect(again.headers.get('ledger-restores')).toBe('1');
  const end = (sessionId: string, epoch: number) =>
    ask(`${service.url}/v1/sessions/${sessionId}/end`, {
      body: { epoch, origin: cloudDebug, reason: 'done' },
    });
  expect((await end(lost.session.sessionId, lost.session.epoch)).body).toMatchObject({
    type: '/problems/unknown-session',
  });
  expect((await end(ofMoved.sessionId, lost.session.epoch)).body).toMatchObject({
    type: '/problems/future-epoch',
  });

  // It goes on, and what it has is sound.
  expect(await start(newUser(), cloudDev)).toMatchObject({ status: 201 });
  const login = as('ledger_service', server.port);
  expect(await command(login, 'verify')).toMatchObject({ code: 0 });
  await until(async () => (await command(login, 'verify', '--projections')).code === 0);

  // Kafka is another matter, until somebody has given up what is lost.
  await becomes(async () => (await ready()).relay, 'stopped');
  expect(await ready()).toMatchObject({ relayWhy: expect.stringContaining('accept-restore') });
  expect(['kafka-ahead', 'other-history']).toContain((await ready()).relayCode);
  expect(await command(login, 'verify', '--kafka', brokers)).toMatchObject({ code: 4 });
  const owner = as('ledger_owner', server.port);
  const told = await command(owner, 'relay', 'accept-restore', '--kafka', brokers);
  expect(told).toMatchObject({ code: 0, out: expect.stringContaining('With --yes') });
  expect(await command(owner, 'relay', 'accept-restore', '--kafka', brokers, '--yes')).toMatchObject({
    code: 0,
  });
  await until(async () => (await ready()).relay === 'relaying');
  await until(async () => (await command(login, 'verify', '--kafka', brokers)).code === 0);
  expect(await restores()).toBe(2);
}, 180_000);

test('the state of an earlier moment is restored; without Kafka the page has what to write down', async () => {
  await service.stop();
  const [, earlier = '', trial = ''] = await blocksBelow('Restore');
  const server = await restored([earlier.replace(/'.*'/, `'${moment}'`), trial]);
  const owner = as('ledger_owner', server.port);
  const [noted = ''] = await blocksBelow('Failover and restore');
  for (const one of statementsOf(noted)) await execute(owner, one);
  service = await startService({
    databaseUrl: as('ledger_service', server.port),
    env: { LEDGER_MIGRATE: 'never' },
  });
  expect(await log(service)).toEqual(atMoment);
  expect(await current(leased)).toMatchObject({ sessionId: ofLeased.sessionId });
  expect(await ask(`${service.url}/v1/current?userId=${moved}`)).toMatchObject({ status: 404 });
  expect(await restores()).toBe(1);
  expect(await start(moved, cloudDev)).toMatchObject({ status: 201 });
  expect(await command(as('ledger_service', server.port), 'verify')).toMatchObject({ code: 0 });
  // One that has kept where it was, and of which past that is.
  const known = new Follower({
    ledger: new LedgerClient({ url: service.url }),
    from: new Map([[0, 1]]),
    ledgerId,
    onEvents: () => undefined,
    onStopped: () => undefined,
  });
  expect(await known.done).toMatchObject({ code: 'restored' });
}, 90_000);
