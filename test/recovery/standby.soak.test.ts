import { setTimeout as pause } from 'node:timers/promises';
import { Follower, LedgerClient } from '#client';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { execute } from '../support/database.js';
import { ask, type Call } from '../support/http.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser, type ProblemBody } from '../support/sessions.js';
import { openSse } from '../support/sse.js';
import { within } from '../support/until.js';
import { type Cluster, fromBackup, newCluster } from './cluster.js';

const { until, becomes } = within(30_000);

// A primary and its hot standby, each with a replica: reads at the standby, and its promotion (docs/running.md).

let primary: Cluster;
let standby: Cluster;
/** The address of the primary, as a name or a virtual address would be: it moves at a failover. */
let address: TcpProxy;
const target = { host: '127.0.0.1', port: 0 };
let guarded: Guarded;
let reader: Service;
let tenant: { authorization: string };
let admin: { authorization: string };

beforeAll(async () => {
  primary = await newCluster();
  target.port = primary.port;
  address = await startProxy({ target });
  guarded = await startGuarded({ databaseUrl: address.reroute(primary.url) });
  admin = by(guarded.admin);
  tenant = by((await guarded.key({ permissions: ['read', 'write', 'operate'] })).secret);
  await execute(primary.url, "select pg_create_physical_replication_slot('standby_a', true)");
  const backup = await primary.baseBackup();
  const { username, password } = new URL(primary.url);
  standby = await fromBackup(backup, 'standby.signal', [
    `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=${username} password=${password}'`,
    "primary_slot_name = 'standby_a'",
  ]);
  reader = await startService({
    databaseUrl: standby.url,
    env: { LEDGER_MIGRATE: 'never', LEDGER_ROLES: 'api', LEDGER_ACCESS: 'required' },
  });
}, 120_000);
afterAll(async () => {
  await reader.stop();
  await guarded.service.stop();
  await address.close();
});

const at = ({ url }: Service, path: string, call: Call = {}) =>
  ask<CommandBody & ProblemBody>(url + path, { ...call, headers: { ...tenant, ...call.headers } });
const start = async (userId: string, owner: object = cloudDev, more: object = {}) => {
  const { status, body } = await at(guarded.service, '/v1/sessions', { body: { userId, owner, ...more } });
  expect(status).toBe(201);
  return body;
};
interface Ready {
  ready: boolean;
  postgres: string;
  standbyLagSeconds?: number;
}
const ready = async ({ url }: Service) => (await ask<Ready>(`${url}/health/ready`, { headers: admin })).body;
const figure = async ({ url }: Service, name: string) => {
  const { text } = await ask(`${url}/metrics`, { headers: admin });
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};
const lag = () => figure(reader, 'ledger_standby_lag_seconds');

/** While the standby gets the primary's log and does not show what is in it. */
async function whileItIsLate(work: () => Promise<void>): Promise<void> {
  await execute(standby.url, 'select pg_wal_replay_pause()');
  await until(
    async () =>
      (await execute(standby.url, 'select pg_get_wal_replay_pause_state() as state')).rows[0].state ===
      'paused',
  );
  try {
    await work();
  } finally {
    await execute(standby.url, 'select pg_wal_replay_resume()');
  }
}

describe('reads', () => {
  const userId = newUser();
  let first: CommandBody;
  beforeAll(async () => {
    first = await start(userId);
    await start(userId, cloudDebug);
    const { partition, sequence } = (await start(userId)).position;
    const known = `/v1/sessions?userId=${userId}&atLeast=${partition}:${sequence}`;
    expect((await at(guarded.service, known)).status).toBe(200);
    await until(async () => (await at(reader, known)).status === 200);
  });

  test.each([
    ['what is current', `/v1/current?userId=${userId}`],
    ['all of a user', `/v1/current?userId=${userId}&all=true`],
    ['the sessions of a scope', `/v1/sessions?userId=${userId}`],
    ['its transitions', `/v1/transitions?userId=${userId}`],
    ['its chain', `/v1/chain?userId=${userId}`],
    ['its events', `/v1/events?userId=${userId}`],
    ['all current sessions', '/v1/sessions/current'],
  ])('%s is answered as by the primary', async (_, path) => {
    const answer = await at(guarded.service, path);
    expect(answer.status).toBe(200);
    expect((await at(reader, path)).text).toBe(answer.text);
  });

  test('so are a session by its id, the past, and questions in a list', async () => {
    const { session, position } = first;
    const one = `/v1/sessions/${session.sessionId}`;
    const past = `/v1/current?userId=${userId}&asOf=${position.partition}:${position.sequence}`;
    for (const path of [one, past]) {
      const answer = await at(guarded.service, path);
      expect(answer.body.session ?? answer.body).toMatchObject({ sessionId: session.sessionId });
      expect((await at(reader, path)).text).toBe(answer.text);
    }
    const many = { body: { of: [{ userId }, { userId: 'nobody' }] } };
    const answer = await at(guarded.service, '/v1/current', many);
    expect((await at(reader, '/v1/current', many)).text).toBe(answer.text);
    const resolve = { body: { candidates: [{ sessionId: session.sessionId, epoch: session.epoch }] } };
    const resolved = await at(guarded.service, '/v1/resolve', resolve);
    expect((await at(reader, '/v1/resolve', resolve)).text).toBe(resolved.text);
  });

  test('so are the feed, the snapshot and the proofs', async () => {
    const { partition } = first.position;
    for (const path of [
      `/v1/feed?partition=${partition}&after=0`,
      '/v1/snapshot',
      `/v1/audit/proof?position=${partition}:1`,
    ]) {
      const answer = await ask(guarded.service.url + path, { headers: admin });
      expect([path, answer.status]).toEqual([path, 200]);
      expect((await ask(reader.url + path, { headers: admin })).text).toBe(answer.text);
    }
  });

  test('who follows or waits at the standby hears of what the primary commits', async () => {
    const watched = newUser();
    const { session } = await start(watched);
    const current = `/v1/current?userId=${watched}`;
    await until(async () => (await at(reader, current)).status === 200);
    const send: typeof fetch = (url, init) =>
      fetch(url, { ...init, headers: { ...(init?.headers as Record<string, string>), ...tenant } });
    const stream = await openSse(`${reader.url}/v1/stream?userId=${watched}`, undefined, send);
    const waiting = at(reader, `${current}&wait=20&after=${session.revision}`);
    const next = await start(watched, cloudDebug);
    expect((await waiting).body).toEqual(next.session);
    const seen = await stream.take(2, 10_000);
    expect(seen.map(({ data }) => data.type)).toEqual([
      'session-ledger.SessionSuperseded.v1',
      'session-ledger.SessionStarted.v1',
    ]);
  });

  test('a key counts there as long as it does at the primary', async () => {
    const key = await guarded.key({ permissions: ['read'] });
    const read = async () =>
      (await ask(`${reader.url}/v1/current?userId=${userId}`, { headers: by(key.secret) })).status;
    await becomes(read, 200);
    await guarded.revoke(key.id);
    await becomes(read, 401);
    expect((await ask(`${reader.url}/v1/current?userId=${userId}`)).status).toBe(401);
  });
});

describe('what writes', () => {
  test('is refused, and told where it is taken', async () => {
    const { session } = await start(newUser(), cloudDev, { lease: { seconds: 60 } });
    await until(async () => (await at(reader, `/v1/sessions/${session.sessionId}`)).status === 200);
    const epoch = { epoch: session.epoch };
    for (const [path, body] of [
      ['/v1/sessions', { userId: newUser(), owner: cloudDev }],
      [`/v1/sessions/${session.sessionId}/end`, { ...epoch, origin: cloudDev, reason: 'done' }],
      [`/v1/sessions/${session.sessionId}/renew`, epoch],
      ['/v1/bulk', { select: { userId: 'nobody' }, action: 'end', reason: 'left' }],
    ] as const) {
      const { headers, body: told } = await at(reader, path, { body });
      expect({ path, ...told }).toMatchObject({
        ...{ path, status: 503, type: '/problems/unavailable', retryable: true },
        detail: expect.stringMatching(
          /takes no writes: a standby.*send commands to a replica at the primary/,
        ),
      });
      expect(headers.get('retry-after')).toBe('2');
    }
  });

  test('by itself is quiet: there is nothing for it to do', async () => {
    await pause(1_200); // bulk jobs are looked for twice a second, and the access log is written once
    expect(reader.output()).not.toMatch(/ERROR.* (bulk|receipts|access|tail): /);
    const { text } = await ask(`${reader.url}/metrics`, { headers: admin });
    expect(text).not.toMatch(/^ledger_faults_total\{where="(bulk|receipts|access|tail)"\} [1-9]/m);
  });
});

describe('a standby that is late', () => {
  test('says how late, and is ready', async () => {
    expect(await ready(guarded.service)).not.toHaveProperty('standbyLagSeconds');
    await until(async () => ((await ready(reader)).standbyLagSeconds ?? 9) < 1.5);
    await whileItIsLate(async () => {
      await until(async () => (await lag()) > 2.5);
      expect(await ready(reader)).toMatchObject({ ready: true, postgres: 'read-only' });
    });
    await until(async () => (await lag()) < 1.5);
  });

  test('has who reads their own write wait for it, and nobody believe that the ledger was restored', async () => {
    const userId = newUser();
    await start(userId);
    await until(async () => (await at(reader, `/v1/current?userId=${userId}`)).status === 200);
    let sessions: Promise<{ text: string }> | undefined;
    let followers: ReturnType<typeof follow>[] = [];
    await whileItIsLate(async () => {
      const { partition, sequence } = (await start(userId, cloudDebug)).position;
      for (const after of [sequence - 1, sequence]) {
        const path = `/v1/feed?partition=${partition}&after=${after}`;
        const page = await ask<ProblemBody>(reader.url + path, { headers: admin });
        expect(page).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
        expect(page.body.detail).toMatch(/^query\.after is ahead of the standby/);
      }
      const back = { headers: { 'last-event-id': '3' } };
      expect(await at(reader, `/v1/events?userId=${userId}&after=3`)).toMatchObject({ status: 503 });
      expect(await at(reader, `/v1/stream?userId=${userId}`, back)).toMatchObject({ status: 503 });
      // By two events, and by one: then the standby's last one is where a page begins that looks for it.
      followers = [sequence, sequence - 1].map((from) => follow(partition, from));
      expect(await Promise.race([...followers.map((one) => one.done), pause(1_500, 'they wait')])).toBe(
        'they wait',
      );
      sessions = at(reader, `/v1/sessions?userId=${userId}&atLeast=${partition}:${sequence}`);
      await pause(500);
    });
    expect((await sessions)?.text).toContain('cloud-debug');
    const { position } = await start(userId);
    for (const { heard, stop } of followers) {
      await until(() => heard.includes(position.sequence));
      await stop();
    }
  });
});

/** Follows at the standby what was followed elsewhere so far. */
function follow(partition: number, from: number) {
  const heard: number[] = [];
  const follower = new Follower({
    ledger: new LedgerClient({ url: reader.url, token: guarded.admin }),
    from: new Map([[partition, from]]),
    lookMs: 100,
    onEvents: (events) => {
      for (const one of events) if (one.partition === partition) heard.push(one.sequence);
    },
    onStopped: () => undefined,
  });
  return { heard, done: follower.done, stop: () => follower.stop() };
}

test('promoted, the same replica takes commands, and so do those of the lost primary once its address has moved', async () => {
  const userId = newUser();
  const { session } = await start(userId);
  const sent = (await execute(primary.url, 'select pg_current_wal_flush_lsn() as lsn')).rows[0].lsn;
  await until(
    async () =>
      (await execute(standby.url, `select pg_last_wal_replay_lsn() >= '${sent}' as has`)).rows[0].has,
  );
  await primary.lose();
  await becomes(async () => (await ready(guarded.service)).postgres, 'unavailable');
  expect((await at(reader, `/v1/current?userId=${userId}`)).body).toEqual(session);

  await execute(standby.url, 'select pg_promote()');
  target.port = standby.port;
  await becomes(async () => (await ready(reader)).postgres, 'ok');
  expect(await ready(reader)).not.toHaveProperty('standbyLagSeconds');
  const body = { userId, owner: cloudDebug, expectedEpoch: session.epoch };
  const taken = await at(reader, '/v1/sessions', { body });
  expect(taken).toMatchObject({ status: 201, body: { session: { epoch: 2 } } });
  await becomes(async () => (await ready(guarded.service)).postgres, 'ok');
  await until(
    async () =>
      (await at(guarded.service, '/v1/sessions', { body: { userId, owner: cloudDev } })).status === 201,
  );
  // Nothing was lost, so nobody has to start anew.
  expect(await figure(guarded.service, 'ledger_rewinds_total')).toBe(0);
}, 90_000);
