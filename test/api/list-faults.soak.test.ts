import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../support/http.js';
import { contains, startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import {
  type CommandBody,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
} from '../support/sessions.js';
import { within } from '../support/until.js';

// Whatever becomes of a list of commands, and of whoever sent it or works on it, the key of each tells what became of it.

const { until } = within(10_000);

let postgres: TcpProxy;
let service: Service;
beforeAll(async () => {
  const url = await freshDatabase();
  const { hostname: host, port } = new URL(url);
  postgres = await startProxy({ target: { host, port: Number(port) } });
  service = await startService({ databaseUrl: postgres.reroute(url) });
});
afterEach(() => postgres.heal());
afterAll(() => postgres.close());

type Answer = Partial<CommandBody & ProblemBody> & { status: number; replayed?: true };
interface Start {
  operation: 'startSession';
  body: { userId: string; owner: object };
  idempotencyKey: string;
}

function starts(count = 40): Start[] {
  return Array.from({ length: count }, () => {
    const userId = newUser();
    return {
      operation: 'startSession',
      body: { userId, owner: cloudDev },
      idempotencyKey: `start ${userId}`,
    };
  });
}

const send = (commands: Start[], url = service.url) =>
  ask<{ answers: Answer[] } & Partial<ProblemBody>>(`${url}/v1/commands`, { body: { commands } });

/** Asks for all of them again by their keys: each is obeyed by then, and was once. What each had been before. */
async function fatesOf(commands: Start[]): Promise<('obeyed before' | 'obeyed now')[]> {
  let answers: Answer[] = [];
  await until(async () => {
    ({ answers } = (await send(commands)).body);
    return answers.every(({ status }) => status === 201);
  });
  for (const { body } of commands) {
    const { events } = (await ask<EventsBody>(`${service.url}/v1/events?userId=${body.userId}`)).body;
    expect(events.map(({ type }) => type)).toEqual(['session-ledger.SessionStarted.v1']);
  }
  return answers.map(({ replayed }) => (replayed ? 'obeyed before' : 'obeyed now'));
}

/** Sends the beginning of a list's request on a connection of its own. */
async function begin(commands: Start[], part = 1) {
  const body = JSON.stringify({ commands });
  const socket = connect({ port: Number(new URL(service.url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const head = `POST /v1/commands HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const text = `${head}content-length: ${body.length}\r\n\r\n${body}`;
  await new Promise((sent) => socket.write(text.slice(0, Math.ceil(text.length * part)), sent));
  return socket;
}

test('a replica that is stopped answers the list that it works on; each is what its answer says', async () => {
  const commands = starts();
  postgres.delay(300);
  const asked = send(commands);
  await until(() => postgres.waiting() > 0);
  const stopped = service.stop('SIGTERM');
  const { status, body } = await asked;
  await stopped;
  postgres.heal();
  await service.restart();
  expect([200, 503]).toContain(status);
  const was = (body.answers ?? []).map((answer) => (answer.status === 201 ? 'obeyed before' : 'obeyed now'));
  const fates = await fatesOf(commands);
  if (was.length > 0) expect(fates).toEqual(was);
});

test('a replica that is killed has obeyed some of a list or none, and each of them once', async () => {
  const commands = starts();
  postgres.delay(100);
  const asked = expect(send(commands)).rejects.toThrow();
  await until(() => postgres.waiting() > 0);
  await pause(100);
  await service.stop('SIGKILL');
  await asked;
  postgres.heal();
  await service.restart();
  expect(await fatesOf(commands)).toHaveLength(commands.length);
});

test('without Postgres each is answered that it may come again, and is obeyed when it is there again', async () => {
  const commands = starts();
  postgres.cut();
  const { status, body } = await send(commands);
  expect(status).toBe(200);
  for (const answer of body.answers)
    expect(answer).toMatchObject({ status: 503, retryable: true, retryAfter: expect.any(Number) });
  postgres.heal();
  expect(await fatesOf(commands)).toEqual(commands.map(() => 'obeyed now'));
});

test('where Postgres does not say whether it has committed, each key does', async () => {
  const commands = starts(8);
  postgres.swallowReplies();
  const { body } = await send(commands);
  const codes = new Set(body.answers.map(({ type }) => type));
  for (const code of codes)
    expect(['/problems/unknown-outcome', '/problems/timeout', '/problems/unavailable']).toContain(code);
  postgres.heal();
  const fates = await fatesOf(commands);
  for (const [index, { type }] of body.answers.entries())
    if (type !== '/problems/unknown-outcome') expect(fates[index]).toBe('obeyed now');
}, 60_000);

test('an answer that is lost on its way was an answer: all of them have been obeyed', async () => {
  const commands = starts();
  const way = await startProxy({ target: { host: '127.0.0.1', port: Number(new URL(service.url).port) } });
  way.dropNextReplies(1, contains('startSession'));
  await expect(send(commands, `http://127.0.0.1:${way.port}`)).rejects.toThrow();
  await way.close();
  expect(await fatesOf(commands)).toEqual(commands.map(() => 'obeyed before'));
});

test('whoever goes away before all of a list has arrived has asked for nothing', async () => {
  const commands = starts();
  (await begin(commands, 0.7)).destroy();
  expect(await fatesOf(commands)).toEqual(commands.map(() => 'obeyed now'));
});

test('whoever goes away while a list is worked on finds each of them by its key', async () => {
  const commands = starts();
  postgres.delay(200);
  const socket = await begin(commands);
  await until(() => postgres.waiting() > 0);
  socket.destroy();
  postgres.heal();
  expect(await fatesOf(commands)).toHaveLength(commands.length);
  // Nothing of it is left among those that are under way: as many again may come at once.
  const lists = await Promise.all(Array.from({ length: 10 }, () => send(starts(100))));
  expect(lists.map(({ status }) => status)).toEqual(lists.map(() => 200));
});
