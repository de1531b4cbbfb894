import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archive, replayFrom } from '#archive';
import { openPool } from '#postgres';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { spawnNode } from '../support/process.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
} from '../support/sessions.js';
import { openSse } from '../support/sse.js';
import { within } from '../support/until.js';

const { until } = within(20_000);

type Archived = ProblemBody & {
  partition: number;
  firstSequence: number;
  firstVersion: number;
  files: { file: string; first: number; last: number }[];
};

const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const kafkaBrokers = process.env.TEST_KAFKA_BROKERS ?? '';
const env = { LEDGER_PARTITIONS: '1' };
let service: Service;
let ask: DescribedAsk;
let directory: string;
const userId = newUser();
const other = newUser();
let lastId = '';
let archivedBefore = 12;

const start = async (user: string) =>
  (await ask<CommandBody>('/v1/sessions', { body: { userId: user, owner: cloudDev } })).body;
const needsFiles = expect.stringMatching(
  /^The events of partition 0 up to (4|11) are archived, in files such as \S+\.gz: say in which directory they are/,
);
const feed = (after: number) => ask<EventsBody & Archived>(`/v1/feed?partition=0&after=${after}`);
const events = (user: string, after: number) =>
  ask<EventsBody & Archived>(`/v1/events?userId=${user}&after=${after}`);
const sequencesOf = ({ body }: { body: EventsBody }) => body.events.map(({ sequence }) => Number(sequence));
const ready = async ({ url }: Service) =>
  (await fetch(`${url}/health/ready`)).json() as Promise<{ relay: string; relayWhy?: string }>;
/** A relay tells Postgres how far it is when it renews its lease. */
const untilConfirmed = async (sequence: number) => {
  const pool = openPool({ url: service.databaseUrl }, 1);
  const confirmed = async () => (await pool.query('select confirmed from ledger.relays')).rows[0].confirmed;
  await until(async () => (await confirmed()) === sequence);
  await pool.end();
};
const archiveNow = () =>
  archive({
    url: service.databaseUrl,
    olderThan: 0,
    to: directory,
    limits: { leastAge: 0, segment: 4 },
  });

// Event 1 is of the first user, 2 to 10 are of the other one, 11 and 12 are of the first. A relay sends them; 1 to
// 11 are archived, in files of four, and 12, the newest, is not.
beforeAll(async () => {
  service = await startService({ kafkaBrokers, topic: freshTopic(), env });
  ask = await describedBy(service.url);
  directory = await mkdtemp(join(tmpdir(), 'ledger-archive-'));
  await start(userId);
  const reader = await openSse(`${service.url}/v1/feed/stream`);
  for (let sessions = 0; sessions < 5; sessions++) await start(other);
  lastId = (await reader.take(4)).at(-1)!.id;
  reader.close();
  const { position } = await start(userId);
  expect(position.sequence).toBe(12);
  await untilConfirmed(12);
  expect(await archiveNow()).toMatchObject({ files: 3, events: 11, deleted: 11 });
  // A replica that has them in memory would still serve them.
  await service.stop();
  await service.restart();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('a reader of the feed is told where the archived events are, and where to go on', async () => {
  const told = await feed(5);
  expect(told.status).toBe(410);
  expect(told.body).toMatchObject({
    type: '/problems/archived',
    retryable: false,
    partition: 0,
    firstSequence: 12,
  });
  expect(told.body.files.map(({ first, last }) => [first, last])).toEqual([
    [5, 8],
    [9, 11],
  ]);
  expect((await feed(0)).body.files).toHaveLength(3);
  expect((await feed(10)).body.files).toHaveLength(1);
  expect(sequencesOf(await feed(11))).toEqual([12]);
  expect(sequencesOf(await feed(12))).toEqual([]);
});

test('a reader of a scope is told which version is the first that is left', async () => {
  for (const after of [0, 1]) {
    expect(await events(userId, after)).toMatchObject({
      status: 410,
      body: {
        type: '/problems/archived',
        firstVersion: 3,
        detail: expect.stringMatching(/^The scope's events before version 3 are archived\. Read the archive/),
      },
    });
  }
  expect((await events(userId, 0)).body.files).toBeUndefined(); // they hold what other tenants did, too
  expect(sequencesOf(await events(userId, 2))).toEqual([12]);
  expect(sequencesOf(await events(userId, 3))).toEqual([]);
});

test('a scope of which nothing is left says so; one that never was has no events', async () => {
  expect(await events(other, 0)).toMatchObject({ status: 410, body: { firstVersion: 10 } });
  expect(await events(other, 8)).toMatchObject({ status: 410, body: { firstVersion: 10 } });
  expect(sequencesOf(await events(other, 9))).toEqual([]);
  expect(sequencesOf(await events(newUser(), 0))).toEqual([]);
});

test.each([
  ['the feed stream', () => ['/v1/feed/stream', lastId]],
  ['the stream of a scope', () => [`/v1/stream?userId=${userId}`, '1']],
])('%s is not resumed over a gap', async (_, from) => {
  const [path = '', id = ''] = from();
  const { status, body } = await ask<Archived>(path, { headers: { 'last-event-id': id } });
  expect([status, body.type]).toEqual([410, '/problems/archived']);
});

test('streams that are not behind go on; what is current is read and changed as ever', async () => {
  const scope = await openSse(`${service.url}/v1/stream?userId=${other}`, '9');
  const all = await openSse(`${service.url}/v1/feed/stream`, (12).toString(36));
  const before = await ask<{ epoch: number; sessionId: string }>(`/v1/current?userId=${other}`);
  expect(before.status).toBe(200);
  const { position } = await start(other);
  expect((await scope.take(2)).map(({ data }) => (data.data as { version: number }).version)).toEqual([
    10, 11,
  ]);
  expect((await all.take(2)).map(({ data }) => Number(data.sequence))).toEqual([13, 14]);
  expect(position.sequence).toBe(14);
  expect((await ask(`/v1/sessions/${before.body.sessionId}`)).body).toMatchObject({ status: 'ended' });
  const snapshot = await (await fetch(`${service.url}/v1/snapshot`)).text();
  expect(snapshot).toContain(`"userId":"${userId}"`);
});

test('archive and feed together are the whole log', async () => {
  const pool = openPool({ url: service.databaseUrl }, 1);
  const sequences: number[] = [];
  for await (const { sequence } of replayFrom(directory, pool, 0)) sequences.push(sequence);
  await pool.end();
  expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, index) => index + 1));
  expect(sequences.length).toBeGreaterThanOrEqual(12);
});

test('the command line verifies what is archived, too, and asks for the files', async () => {
  const verify = (...more: string[]) =>
    spawnNode(cli, { args: ['verify', ...more], env: { DATABASE_URL: service.databaseUrl } });
  const whole = verify('--archives', directory, '--json');
  expect(await whole.exited).toMatchObject({ code: 0 });
  expect(JSON.parse(whole.lines[0] ?? '')).toMatchObject({ partition: 0, faults: [] });
  const without = verify();
  expect(await without.exited).toMatchObject({ code: 1 });
  expect(without.errors).toEqual([needsFiles]);
});

test('a reader of the past is told that it is archived; chains are rebuilt from the files, and compared with them', async () => {
  const past = await ask<Archived>(`/v1/current?userId=${userId}&asOf=0:5`);
  expect(past).toMatchObject({ status: 410, body: { type: '/problems/archived', firstVersion: 3 } });
  expect((await ask(`/v1/current?userId=${userId}&asOf=0:12`)).status).toBe(200);
  const chain = async () => (await ask(`/v1/chain?userId=${userId}`)).body;
  const before = await chain();
  const rebuild = (...more: string[]) =>
    spawnNode(cli, { args: ['rebuild', ...more], env: { DATABASE_URL: service.databaseUrl } });
  const without = rebuild();
  expect(await without.exited).toMatchObject({ code: 1 });
  expect(without.errors).toEqual([needsFiles]);
  expect(await rebuild('--archives', directory).exited).toMatchObject({ code: 0 });
  expect(await chain()).toEqual(before);
  const compare = (...more: string[]) =>
    spawnNode(cli, {
      args: ['verify', '--projections', ...more],
      env: { DATABASE_URL: service.databaseUrl },
    });
  const compared = compare('--archives', directory);
  expect(await compared.exited).toMatchObject({ code: 0 });
  expect(compared.lines).toEqual([expect.stringMatching(/^\d+ events and \d+ rows compared$/)]);
  const unnamed = compare();
  expect(await unnamed.exited).toMatchObject({ code: 1 });
  expect(unnamed.errors).toEqual([needsFiles]);
});

test('a session still tells of refused stops that are archived, and where', async () => {
  const { session, position } = await start(userId);
  const stopped = { epoch: session.epoch - 1, origin: cloudDev, reason: 'late' };
  for (let times = 0; times < 2; times++)
    await ask(`/v1/sessions/${session.sessionId}/end`, { body: stopped });
  type Refused = { refusals: object[] };
  const refusals = async () => (await ask<Refused>(`/v1/sessions/${session.sessionId}`)).body.refusals;
  const at = { why: 'stale-epoch', count: 2, position: { partition: 0, sequence: position.sequence + 1 } };
  expect(await refusals()).toEqual([
    { ...at, origin: cloudDev, epoch: stopped.epoch, at: expect.stringMatching(/Z$/) },
  ]);
  await start(userId);
  await untilConfirmed(position.sequence + 3);
  expect(await archiveNow()).toMatchObject({ deleted: position.sequence + 2 - 11 });
  archivedBefore = position.sequence + 3;
  expect(await refusals()).toEqual([{ ...at, archived: true }]);
});

test('the relay goes on with its topic, and stops at one that the archive is ahead of', async () => {
  await start(userId);
  await until(async () => (await ready(service)).relay === 'relaying');
  await service.stop();
  const pool = openPool({ url: service.databaseUrl }, 1);
  await pool.query('update ledger.relays set confirmed = 0'); // as its message says, to send everything again
  await pool.end();
  const fresh = await startService({
    databaseUrl: service.databaseUrl,
    kafkaBrokers,
    topic: freshTopic(),
    env,
  });
  await until(async () => (await ready(fresh)).relay === 'stopped');
  expect((await ready(fresh)).relayWhy).toContain(
    `Kafka's partition 0 is behind the archive. The events of partition 0 before ${archivedBefore} are archived`,
  );
  // Said once for the partition, not at each look.
  expect(fresh.process.errors).toEqual([expect.stringContaining('relay: partition 0 stopped.')]);
});
