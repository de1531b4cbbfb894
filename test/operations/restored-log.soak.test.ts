import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openKafka } from '#broker';
import { Follower, type FollowOptions, LedgerClient } from '#client';
import { backUp } from '../support/database.js';
import { ask } from '../support/http.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import { type CommandBody, type EventsBody, newUser } from '../support/sessions.js';
import { openSse } from '../support/sse.js';
import { within } from '../support/until.js';

const { until } = within(40_000);

// A failover to a standby that lacked the last commits, or a restore: the table is the truth, and what memory, Kafka
// and followers have beyond it is not mixed with it.

const main = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const brokers = process.env.TEST_KAFKA_BROKERS ?? '';
const topic = freshTopic();
const userId = newUser(); // one scope, so one partition
let service: Service;

const start = async (environment: string) => {
  const body = { userId, owner: { environment } };
  return (await ask<CommandBody>(`${service.url}/v1/sessions`, { body })).body;
};
const ready = async () =>
  (await ask<{ relay: string; relayWhy?: string; relayCode?: string }>(`${service.url}/health/ready`)).body;
const ledger = async () =>
  (await ask<{ ledger: { heads: number[]; restores: number } }>(`${service.url}/v1/stats`)).body.ledger;
const feed = async (partition: number, after = 0) =>
  ask<EventsBody & { type?: string }>(`${service.url}/v1/feed?partition=${partition}&after=${after}`);

/** The past that pages are of: of the feed, and of the scope. */
const pasts = async (partition: number) => {
  const pages = [await feed(partition), await ask(`${service.url}/v1/events?userId=${userId}`)];
  return pages.map(({ headers }) => headers.get('ledger-restores'));
};

async function untilInKafka(topic: string, { partition, sequence }: CommandBody['position']): Promise<void> {
  const kafka = openKafka({ brokers: brokers.split(','), log: () => undefined });
  const ends = async () =>
    (await kafka.bounds(topic)).some((one) => one.partition === partition && one.end === sequence);
  await until(ends).finally(() => kafka.close());
}

const follow = (options: Partial<FollowOptions> = {}) =>
  new Follower({
    ledger: new LedgerClient({ url: service.url }),
    from: 'present',
    lookMs: 300,
    onEvents: () => undefined,
    onStopped: () => undefined,
    ...options,
  });

function command(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: service.databaseUrl,
    KAFKA_BROKERS: brokers,
    LEDGER_TOPIC: topic,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}
const verifyKafka = () => command('verify', '--kafka', brokers, '--json');

test('what a restore took away is nowhere served or sent, and is given up only when somebody says so', async () => {
  service = await startService({ kafkaBrokers: brokers, topic });
  const { position } = await start('kept');
  const { partition } = position;
  expect(await pasts(partition)).toEqual(['0', '0']);
  const backup = await backUp(service.databaseUrl);
  const { session } = await start('lost');
  await untilInKafka(topic, { partition, sequence: 3 });
  expect(await verifyKafka()).toMatchObject({ code: 0 });
  const watching = ask(`${service.url}/v1/current?userId=${userId}&wait=60&after=${session.revision}`);
  const reader = await openSse(`${service.url}/v1/feed/stream`);
  const ofScope = await openSse(`${service.url}/v1/stream?userId=${userId}`);
  const early = follow();
  await until(async () => early.positions.size > 0);
  const { ledgerId } = early;

  await backup.restore();
  await until(async () => (await ledger()).heads[partition] === 1);
  // Those who follow are told to look again, and find out that they are ahead.
  await reader.ended;
  const ahead = { status: 409, body: { type: '/problems/position-ahead' } };
  const again = { headers: { 'last-event-id': reader.lastEventId } };
  expect(await ask(`${service.url}/v1/feed/stream`, again)).toMatchObject(ahead);
  expect(await feed(partition, 3)).toMatchObject(ahead);
  expect((await watching).body).toMatchObject({ owner: { environment: 'kept' } });
  // A new one under numbers that Kafka knows for something else.
  await until(async () => (await start('new')).outcome === 'started');
  const { events } = (await feed(partition)).body;
  expect(JSON.stringify(events)).not.toContain('lost');
  // A number says nothing of that: the page does, though nobody is ahead any more.
  expect(await feed(partition, 1)).toMatchObject({ status: 200 });
  expect(await pasts(partition)).toEqual(['1', '1']);
  // Now the log is as long as it was: only what an id says of its past tells that it is not the same.
  expect(events.length).toBeGreaterThanOrEqual(3);
  expect(await ask(`${service.url}/v1/feed/stream`, again)).toMatchObject(ahead);
  const ofScopeAgain = { headers: { 'last-event-id': ofScope.lastEventId } };
  expect(await ask(`${service.url}/v1/stream?userId=${userId}`, ofScopeAgain)).toMatchObject(ahead);
  expect(['restored', 'position-ahead']).toContain((await early.done)?.code);
  const stored = follow({ from: new Map([[partition, 1]]), ...(ledgerId && { ledgerId }) });
  expect(await stored.done).toMatchObject({ code: 'restored' });
  await until(async () => (await ready()).relay === 'stopped');
  expect((await ready()).relayWhy).toContain('accept-restore');
  await service.restart();
  await until(async () => (await ready()).relay === 'stopped');
  expect(service.process.errors.join()).not.toContain(session.sessionId);

  const unsound = await verifyKafka();
  expect(unsound.code).toBe(4);
  const [report] = unsound.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ faults }) => faults.length > 0);
  expect(report).toMatchObject({ partition, records: 3, last: 3 });
  expect(report.faults[0]).toMatch(/^event 2 at offset 1 is another one than in the log$/);

  // One that began after the restore is not ahead; it may have kept what it was told before.
  const follower = follow();
  await until(async () => follower.positions.size > 0);
  const told = await command('relay', 'accept-restore');
  expect(told).toMatchObject({ code: 0, out: expect.stringContaining('With --yes') });
  expect((await ledger()).restores).toBe(1); // the replica had found it
  expect(await command('relay', 'accept-restore', '--yes')).toMatchObject({ code: 0, err: '' });
  expect(await follower.done).toMatchObject({ code: 'restored' });
  expect(await pasts(partition)).toEqual(['2', '2']);
  await until(async () => (await ready()).relay === 'relaying');
  expect((await ledger()).restores).toBe(2);
  await until(async () => {
    const { code, out } = await verifyKafka();
    return code === 0 && out.includes(`"partition":${partition},"records":${events.length},`);
  });
  expect(await command('relay', 'accept-restore', '--yes')).toMatchObject({
    code: 0,
    out: expect.stringContaining('nothing to accept'),
  });
  expect((await ledger()).restores).toBe(2);
}, 180_000);

test('a restore while all replicas were stopped is found by what Kafka has, and written down once', async () => {
  const itsTopic = freshTopic();
  service = await startService({ kafkaBrokers: brokers, topic: itsTopic });
  const { partition } = (await start('kept')).position;
  const backup = await backUp(service.databaseUrl);
  await until(async () => (await start('lost')).outcome === 'started');
  const { position } = await start('lost');
  await untilInKafka(itsTopic, position);
  const reader = await openSse(`${service.url}/v1/feed/stream`);
  const early = follow();
  await until(async () => early.positions.size > 0);
  const { ledgerId } = early;
  await early.stop();
  expect((await ledger()).restores).toBe(0);

  await service.stop();
  await backup.restore();
  await service.restart();
  await until(async () => (await ledger()).restores === 1);
  // As long as it was: nothing but what was written down tells that it is another one.
  for (let last = 0; last < position.sequence; ) last = (await start('new')).position.sequence;
  const again = { headers: { 'last-event-id': reader.lastEventId } };
  const ahead = { status: 409, body: { type: '/problems/position-ahead' } };
  expect(await ask(`${service.url}/v1/feed/stream`, again)).toMatchObject(ahead);
  const stored = follow({ from: new Map([[partition, 1]]), ...(ledgerId && { ledgerId }) });
  expect(await stored.done).toMatchObject({ code: 'restored' });
  // It stops at the same place again and again, after a restart too, and that is no other restore.
  await service.restart();
  await until(async () => (await ready()).relay === 'stopped');
  await pause(500);
  expect((await ledger()).restores).toBe(1);
}, 120_000);
