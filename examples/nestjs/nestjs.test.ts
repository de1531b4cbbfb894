import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { LedgerClient, type Session } from '#client';
import { ask } from '../../test/support/http.js';
import { type NodeProcess, spawnNode } from '../../test/support/process.js';
import { type Service, startService } from '../../test/support/service.js';
import { newUser } from '../../test/support/sessions.js';

const main = fileURLToPath(new URL('../../dist/examples/nestjs/main.js', import.meta.url));
const LISTENING = /^Nest on (\S+)/;
const [dev, debug] = [{ environment: 'cloud-dev' }, { environment: 'cloud-debug' }];

interface Answer {
  sessionId?: string;
  lines?: string[];
  type?: string;
  message?: string;
  current?: { sessionId: string; epoch: number };
}

let service: Service;
let ledger: LedgerClient;
let app: NodeProcess;
let url: string;
const startApp = async (ledgerUrl: string) => {
  const process = spawnNode(main, { env: { LEDGER_URL: ledgerUrl, PORT: '0' } });
  return { process, url: LISTENING.exec(await process.waitForLine(LISTENING, 20_000))?.[1] as string };
};
beforeAll(async () => {
  service = await startService();
  ledger = new LedgerClient({ url: service.url });
  ({ process: app, url } = await startApp(service.url));
});
afterAll(() => {
  ledger.close();
});

const start = async (userId: string, owner = dev, value?: string) => {
  const handles = value ? [{ kind: 'transport', value, binds: 'scope' as const }] : [];
  const { session } = await ledger.call('startSession', { body: { userId, owner, handles } });
  return session;
};
const reference = ({ sessionId, epoch }: Session) => ({
  'session-reference': `${sessionId}; epoch=${epoch}`,
});
const handle = (value: string) => ({ 'session-handle': `transport:${value}` });
const read = (headers: Record<string, string>) => ask<Answer>(url, { headers });
const add = (headers: Record<string, string>, line: string, to = url) =>
  ask<Answer>(to, { headers, body: { text: line } });

test('a request finds its session by reference, by handle, and by both', async () => {
  const userId = newUser();
  const session = await start(userId, dev, userId);
  expect((await add(reference(session), 'one')).body).toEqual({ lines: ['one'] });
  expect((await add(handle(userId), 'two')).body).toEqual({ lines: ['one', 'two'] });
  const { status, body } = await read({ ...reference(session), ...handle(userId) });
  expect(status).toBe(200);
  expect(body).toEqual({ sessionId: session.sessionId, epoch: session.epoch, lines: ['one', 'two'] });
});

test('a reference is refused once its session was superseded, rotated, claimed or ended; a handle follows', async () => {
  const userId = newUser();
  const first = await start(userId, dev, userId);
  const second = await start(userId, debug);
  const { sessionId, epoch } = second;
  const refused = await add(reference(first), 'late');
  expect(refused.status).toBe(409);
  expect(refused.body).toMatchObject({ type: '/problems/stale-session', current: { sessionId, epoch } });
  expect((await read(handle(userId))).body).toMatchObject({ sessionId, lines: [] });

  const params = { sessionId };
  await ledger.call('releaseOwnership', { params, body: { epoch } });
  const { session: claimed } = await ledger.call('claimOwnership', {
    params,
    body: { epoch: epoch + 1, owner: dev },
  });
  expect((await read(reference(second))).body).toMatchObject({ type: '/problems/stale-epoch' });
  const body = { epoch: claimed.epoch, reason: 'build' };
  const { session: rotated } = await ledger.call('rotateSession', { params, body });
  expect((await read(reference(claimed))).body).toMatchObject({ type: '/problems/stale-session' });
  expect((await read(handle(userId))).body).toMatchObject({ sessionId: rotated.sessionId });

  await ledger.end(rotated.sessionId, { epoch: rotated.epoch, origin: dev, reason: 'done' });
  for (const headers of [reference(rotated), handle(userId)]) {
    const { status, body } = await read(headers);
    expect([status, body.type, body.current]).toEqual([409, '/problems/session-ended', undefined]);
  }
});

test('what names two sessions, none, an unknown one or cannot be read is refused', async () => {
  const [mine, others] = [newUser(), newUser()];
  const session = await start(mine);
  await start(others, dev, others);
  const mixed = await read({ ...reference(session), ...handle(others) });
  expect([mixed.status, mixed.body.type]).toEqual([409, '/problems/session-mismatch']);
  const unknown = await read(handle('nobody'));
  expect([unknown.status, unknown.body.type]).toEqual([404, '/problems/unknown-handle']);
  for (const headers of [{}, { 'session-reference': session.sessionId }, { 'session-handle': 'nonsense' }]) {
    expect((await read(headers)).status).toBe(400);
  }
});

test('a write that was held up after the guard had looked is refused by the fence', async () => {
  // Stands between app and ledger, and keeps back the first answer to a resolve.
  let [letGo, arrived] = [() => {}, () => {}];
  const isHeld = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let hold: Promise<void> | undefined = new Promise((resolve) => {
    letGo = resolve;
  });
  const between = createServer(async (request, response) => {
    const answer = await ask(service.url + request.url, {
      method: request.method!,
      body: await text(request),
    });
    const held = hold;
    hold = undefined;
    if (held) arrived();
    await held;
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const other = await startApp(`http://127.0.0.1:${(between.address() as AddressInfo).port}`);

  const userId = newUser();
  const late = add(reference(await start(userId)), 'late', other.url);
  await isHeld;
  const present = await add(reference(await start(userId, debug)), 'in time', other.url);
  expect(present.body).toEqual({ lines: ['in time'] });
  letGo();
  const refused = await late;
  expect([refused.status, refused.body.message]).toEqual([409, 'The session was overtaken by another one']);
  await other.process.kill();
  between.closeAllConnections();
  between.close();
});

test('the ledger is down: 503, until it is back; a signal ends the application', async () => {
  const session = await start(newUser());
  await service.stop('SIGKILL');
  expect((await add(reference(session), 'lost')).status).toBe(503);
  await service.restart();
  expect((await add(reference(session), 'kept')).body).toEqual({ lines: ['kept'] });
  await app.kill('SIGTERM');
  expect(app.errors).toEqual([]);
});
