import { once } from 'node:events';
import {
  type Agent,
  Agent as HttpAgent,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { problemBody } from '#api';
import { Admission } from './admission/admission.js';
import { serverBehindFront } from './front.js';
import { Origins } from './origins.js';

const PAGE = 'https://page.example';

let server: Server;
let agent: Agent;
let admission: Admission;
/** What got past the front, and how it is answered. */
let served: string[] = [];
let waiting: ServerResponse[] = [];
let answering: (response: ServerResponse) => void;
beforeEach(async () => {
  served = [];
  waiting = [];
  answering = (response) => response.end();
  admission = new Admission({ aside: () => 0, onShed: () => {} });
  const origins = new Origins({ isLocal: true, hosts: [], origins: [PAGE] });
  const handle: Parameters<ReturnType<typeof serverBehindFront>>[0] = ({ method, url }, response) => {
    served.push(`${method} ${url}`);
    waiting.push(response);
    answering(response);
  };
  server = serverBehindFront({ admission, origins, tls: undefined })(handle, {}) as Server;
  agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  agent.destroy();
  await once(server.close(), 'close');
});

async function ask(method: string, path: string, options: RequestOptions & { body?: string } = {}) {
  const { port } = server.address() as AddressInfo;
  const asked = request({ ...options, agent, method, path, port, host: '127.0.0.1' }).end(options.body);
  const [answer] = await once(asked, 'response');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

/** More commands are under way than are ever taken. */
function crowd(): void {
  while (!admission.refuses(true)) {}
}

test('a command too many is refused with a problem, as the framework would say it', async () => {
  crowd();
  const { status, headers, body } = await ask('POST', '/v1/sessions', { body: '{"userId":"ada"}' });
  expect(status).toBe(503);
  expect(headers).toMatchObject({
    ...{ 'content-type': 'application/problem+json', 'retry-after': '1' },
    ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  });
  expect(JSON.parse(body)).toEqual(problemBody({ code: 'overloaded' }));
  expect(served).toEqual([]);
});

test('its connection can be used on, whatever body it had', async () => {
  crowd();
  const ports = new Set<number | undefined>();
  server.on('request', ({ socket }) => ports.add(socket.remotePort));
  for (const length of [0, 10, 200_000]) {
    expect(await ask('POST', '/v1/sessions', { body: 'x'.repeat(length) })).toMatchObject({ status: 503 });
  }
  expect(await ask('GET', '/v1/stats')).toMatchObject({ status: 200 });
  expect(ports.size).toBe(1);
});

test.each([
  ['GET', '/v1/current?userId=ada'],
  ['POST', '/v1/current'],
  ['POST', '/v1/resolve?one=two'],
  ['GET', '/health/live'],
  ['GET', '/metrics'],
  ['POST', '/health/ready'],
])('commands crowd out no %s %s', async (method, path) => {
  crowd();
  expect(await ask(method, path)).toMatchObject({ status: 200 });
  expect(served).toEqual([`${method} ${path}`]);
});

test('while the event loop is late reads are refused, too; health and metrics never', async () => {
  for (let one = 0; one < 200; one += 1) admission.refuses(false);
  admission.tick(10_000);
  expect(await ask('GET', '/v1/current?userId=ada')).toMatchObject({ status: 503 });
  for (const path of ['/health/live', '/health/ready', '/metrics'])
    expect(await ask('GET', path)).toMatchObject({ status: 200 });
});

test('a page that may ask is told, another one is not', async () => {
  crowd();
  const told = async (origin: string) => (await ask('POST', '/v1/sessions', { headers: { origin } })).headers;
  expect(await told(PAGE)).toMatchObject({
    'access-control-allow-origin': PAGE,
    'access-control-expose-headers': expect.stringContaining('retry-after'),
    vary: 'origin',
  });
  expect(await told('https://other.example')).not.toHaveProperty('access-control-allow-origin');
});

test('a command that was taken is under way until it is answered or its caller is gone', async () => {
  await ask('POST', '/v1/sessions', { body: '{}' });
  expect(served).toEqual(['POST /v1/sessions']);
  await new Promise(setImmediate);
  expect(admission.commands).toBe(0);
});

describe('requests that are sent together', () => {
  /** On one connection, without waiting for an answer. */
  function send(...paths: string[]) {
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      paths.map((path) => `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`).join(''),
    );
    return socket;
  }
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  };

  test('are served one after the other, in their order', async () => {
    answering = () => {}; // later
    const socket = send('/v1/a', '/v1/b', '/v1/c');
    await once(server, 'request');
    await turns();
    expect([served, admission.commands]).toEqual([['POST /v1/a'], 1]);
    answering = (response) => response.end('ok');
    waiting.shift()?.end('first');
    let text = '';
    for await (const part of socket) {
      text += part;
      if (text.split('ok').length > 2) break;
    }
    expect(text.indexOf('first')).toBeLessThan(text.indexOf('ok'));
    expect(served).toEqual(['POST /v1/a', 'POST /v1/b', 'POST /v1/c']);
    await turns();
    expect(admission.commands).toBe(0);
  });

  test('are at most 100 besides the one that is served: one more, and the connection is closed', async () => {
    answering = () => {};
    const few = send(...Array(101).fill('/v1/a'));
    await once(server, 'request');
    await turns();
    expect(few.destroyed).toBe(false);
    answering = (response) => response.end();
    waiting.shift()?.end();
    await turns();
    expect(served.length).toBe(101);
    answering = () => {};
    const many = send(...Array(102).fill('/v1/a')).resume();
    many.on('error', () => {}); // it may be reset
    await once(many, 'close');
    await turns();
    expect([served.length, admission.commands]).toEqual([102, 0]);
    few.destroy();
  });

  test('are forgotten when their caller goes away', async () => {
    answering = () => {};
    const socket = send('/v1/a', '/v1/b', '/v1/c');
    await once(server, 'request');
    socket.resetAndDestroy();
    await once(waiting[0]!, 'close');
    await turns();
    expect([served, admission.commands]).toEqual([['POST /v1/a'], 0]);
  });
});
