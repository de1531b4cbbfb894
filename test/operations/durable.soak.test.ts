import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { SessionView } from '#api/schemas';
import { ask } from '../support/http.js';
import { type Sent, send, startLoad } from '../support/load.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, type EventsBody, newUser } from '../support/sessions.js';

test('kill -9 in the middle of load: what was acknowledged is there, what was not is obeyed at most once', async () => {
  const service = await startService();
  const load = startLoad(service.url, 32);
  const isAcknowledged = ({ status }: Sent) => status === 201;
  const acknowledgedMore = async (count: number) => {
    const wanted = load.sent.filter(isAcknowledged).length + count;
    while (load.sent.filter(isAcknowledged).length < wanted) await pause(20);
  };
  for (let kills = 0; kills < 3; kills++) {
    await acknowledgedMore(150);
    await service.restart();
  }
  await acknowledgedMore(51);
  const sent = await load.stop();
  const acknowledged = sent.filter(isAcknowledged);
  const unanswered = sent.filter(({ status }) => status !== 201);
  expect(acknowledged.length).toBeGreaterThan(500);
  expect(unanswered.length).toBeGreaterThan(32);

  const started = await startedByKey(service);
  expect(acknowledged.filter(({ key, sessionId }) => started.get(key)?.[0] !== sessionId)).toEqual([]);

  const again = await Promise.all(unanswered.map((one) => send(service.url, one)));
  expect(again.filter((status) => status !== 201)).toEqual([]);
  const afterwards = await startedByKey(service);
  expect(afterwards.size).toBe(sent.length);
  expect(sent.filter(({ key, sessionId }: Sent) => `${afterwards.get(key)}` !== sessionId)).toEqual([]);
}, 120_000);

test('a stop that was sent before a kill -9 is as stale after it', async () => {
  const service = await startService();
  const userId = newUser();
  const start = async (owner: object) =>
    (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner } })).body.session;
  const old = await start(cloudDev);
  const current = await start(cloudDebug);
  const body = { epoch: old.epoch, origin: cloudDev, reason: 'grace ended' };
  const stop = () => ask(`${service.url}/v1/sessions/${old.sessionId}/end`, { body });
  expect(await stop()).toMatchObject({ status: 409, body: { type: '/problems/stale-session' } });
  await service.restart();
  expect(await stop()).toMatchObject({ status: 409, body: { type: '/problems/stale-session' } });
  expect((await ask(`${service.url}/v1/current?userId=${userId}`)).body).toEqual(current);
});

describe('two replicas on one database', () => {
  let replicas: [Service, Service];
  beforeAll(async () => {
    const databaseUrl = await freshDatabase();
    replicas = [await startService({ databaseUrl }), await startService({ databaseUrl })];
  });

  test('what one has answered the other reads at once', async () => {
    const userId = newUser();
    for (let round = 0; round < 100; round++) {
      const [writer, reader] = round % 2 === 0 ? replicas : [replicas[1], replicas[0]];
      const body = { userId, owner: cloudDev };
      const { session } = (await ask<CommandBody>(`${writer.url}/v1/sessions`, { body })).body;
      expect((await ask(`${reader.url}/v1/current?userId=${userId}`)).body).toEqual(session);
    }
  });

  test('who waits at one is woken by a command at the other', async () => {
    const userId = newUser();
    const waiting = ask(`${replicas[0].url}/v1/current?userId=${userId}&wait=10`);
    await untilMetric(replicas[0], 'ledger_waiters 1');
    const body = { userId, owner: cloudDev };
    const { session } = (await ask<CommandBody>(`${replicas[1].url}/v1/sessions`, { body })).body;
    const changed = performance.now();
    expect((await waiting).body).toEqual(session);
    expect(performance.now() - changed).toBeLessThan(250); // they ask for the heads every 50 ms
  });

  test('200 first requests for one scope make one session', async () => {
    const userId = newUser();
    const body = { userId, owner: cloudDev, onConflict: 'join' };
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        ask<CommandBody>(`${replicas[index % 2]?.url}/v1/sessions`, { body }),
      ),
    );
    expect(answers.filter(({ body }) => body.outcome === 'started')).toHaveLength(1);
    expect(answers.filter(({ body }) => body.outcome === 'joined')).toHaveLength(199);
    expect(new Set(answers.map(({ body }) => body.session.sessionId)).size).toBe(1);
  });

  test('one dies under load, the other goes on', async () => {
    const load = startLoad(replicas[1].url, 8);
    await pause(200);
    await replicas[0].stop('SIGKILL');
    await pause(500);
    const sent = await load.stop();
    expect(sent.filter(({ status }) => status !== 201)).toEqual([]);
  });
});

test('SIGTERM under load: accepted requests are answered, then it exits with 0', async () => {
  const service = await startService();
  const load = startLoad(service.url, 32);
  const streams = ['/v1/feed/stream', '/v1/current?userId=nobody&wait=60'].map((path) =>
    fetch(service.url + path).then(
      (response) => response.text(),
      () => 'cut off', // it was asked before anything was accepted
    ),
  );
  await pause(500);
  const began = performance.now();
  const exit = await service.stop('SIGTERM');
  expect(exit).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(10_000);
  await Promise.all(streams);
  const sent = await load.stop();
  expect(service.process.errors).toEqual([]);
  expect(sent.filter(({ status }) => status !== undefined && ![201, 503].includes(status))).toEqual([]);

  await service.restart();
  const started = await startedByKey(service);
  const answered = sent.filter(({ status }) => status === 201);
  expect(answered.filter(({ key, sessionId }) => started.get(key)?.[0] !== sessionId)).toEqual([]);
  // Obeyed without an answer would be an accepted request that was dropped.
  expect(sent.filter(({ status, key }) => status === undefined && started.has(key))).toEqual([]);
});

test('SIGTERM: a client that was answered meanwhile and keeps its connection does not hold it up', async () => {
  const service = await startService();
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  const answer = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())));
  const closed = once(socket, 'close');
  socket.write('GET /v1/current?userId=nobody&wait=60 HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await untilMetric(service, 'ledger_waiters 1');
  const began = performance.now();
  expect(await service.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(await answer).toContain('/problems/no-current-session');
  await closed;
});

test('session ids and idempotency keys do not stand in what the service writes', async () => {
  const service = await startService({ kafkaBrokers: '127.0.0.1:1' });
  const load = startLoad(service.url, 8);
  await pause(300);
  await service.restart();
  const sent = await load.stop();
  for (const { sessionId } of sent.slice(0, 20)) {
    for (const path of [`/v1/sessions/${sessionId}/nothing`, `/v1/sessions/${sessionId}`]) {
      await ask(service.url + path, { body: { secret: true } });
    }
  }
  await service.stop('SIGTERM');
  const output = service.output();
  expect(sent.filter(({ sessionId }) => sessionId && output.includes(sessionId))).toEqual([]);
  expect(sent.filter(({ key, userId }) => output.includes(key) || output.includes(userId))).toEqual([]);
  expect(output).not.toContain('secret');
});

/** Waits until the service's metrics have this line. */
async function untilMetric({ url }: Service, line: string): Promise<void> {
  for (const until = performance.now() + 5_000; performance.now() < until; await pause(20)) {
    if ((await ask(`${url}/metrics`)).text.split('\n').includes(line)) return;
  }
  throw new Error(`the metrics do not come to ${line}`);
}

/** The sessions that each command started, by the key that it was sent with. */
async function startedByKey({ url }: Service): Promise<Map<string, string[]>> {
  const started = new Map<string, string[]>();
  for (let partition = 0; partition < 16; partition++) {
    let after: number | undefined = 0;
    while (after !== undefined) {
      const path: string = `/v1/feed?partition=${partition}&after=${after}&limit=500`;
      const { body } = await ask<EventsBody>(url + path);
      for (const { type, data } of body.events) {
        const { sessionId, owner } = (data.session ?? {}) as Partial<SessionView>;
        const key = owner?.instance;
        if (type !== 'session-ledger.SessionStarted.v1' || !key || !sessionId) continue;
        started.set(key, [...(started.get(key) ?? []), sessionId]);
      }
      after = body.next;
    }
  }
  return started;
}
