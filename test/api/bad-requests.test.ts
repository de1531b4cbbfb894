import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { headsOf, refused, untouchedService } from '../support/bad-input.js';
import { ask } from '../support/http.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';

const kept = untouchedService({ isEmpty: true });

const end = { epoch: 1, origin: cloudDev, reason: 'r' };
const uuid = '01920000-0000-7003-8000-000000000000';

describe('addresses', () => {
  const wrong: [string, string, object | undefined][] = [
    ['404 not-found', '/nothing', undefined],
    ['404 not-found', '/v1/sessions/x/y/z', undefined],
    ['404 not-found', `/v1/sessions/${uuid}/dance`, {}],
    ['400 invalid-request', '/v1/sessions/no-uuid', undefined],
    ['400 invalid-request', '/v1/sessions/no-uuid/end', end],
    ['400 invalid-request', `/v1/sessions/${'x'.repeat(300)}`, undefined],
    ['400 invalid-request', `/v1/sessions/${'x'.repeat(300)}/end`, end],
    ['400 invalid-request', '/v1/sessions/%zz', undefined],
    ['404 not-found', '/problems/no-such', undefined],
    ['404 not-found', '/problems/constructor', undefined],
    ['404 not-found', '/problems', undefined],
    ['404 unknown-session', `/v1/sessions/${uuid}`, undefined],
    ['404 unknown-session', `/v1/sessions/${uuid}/end`, end],
    ['404 unknown-session', '/v1/sessions/01920000-0000-7fff-8000-000000000000', undefined],
    ['404 unknown-session', '/v1/sessions/01920000-0000-7fff-8000-000000000000/end', end],
    ['404 unknown-session', '/v1/sessions/01920000-0000-7010-8000-000000000000', undefined],
  ];
  test.each(wrong)('%s: %s', async (answer, path, body) => {
    expect(await refused(`${kept.service.url}${path}`, { body })).toMatchObject({ answer, faults: [] });
  });

  const methods: [string, string, string][] = [
    ['PUT', '/v1/sessions', 'POST, GET, HEAD'],
    ['DELETE', `/v1/sessions/${uuid}`, 'GET, HEAD'],
    ['PUT', '/v1/current', 'POST, GET, HEAD'],
    ['GET', '/v1/reports', 'POST, DELETE'],
    ['POST', '/v1/chain', 'GET, HEAD'],
    ['GET', `/v1/sessions/${uuid}/end`, 'POST'],
    ['POST', '/health/ready', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
    ['POST', '/docs', 'GET, HEAD'],
    ['POST', '/problems/stale-epoch', 'GET, HEAD'],
    ['GET', '/v1/details', 'DELETE'],
    ['DELETE', '/v1/bulk', 'POST, GET, HEAD'],
  ];
  test.each(methods)('405: %s %s, which takes %s', async (method, path, allow) => {
    const { answer, faults, headers } = await refused(`${kept.service.url}${path}`, { method });
    expect([answer, faults, headers.get('allow')]).toEqual(['405 method-not-allowed', [], allow]);
  });
});

describe('queries', () => {
  const wrong: [string, string][] = [
    ['/v1/current', 'query.userId is missing'],
    ['/v1/current?userId=', 'query.userId has to have at least 1 character (1 to 256'],
    ['/v1/current?userId=a&userId=b', 'query.userId has to be of type string'],
    ['/v1/current?userId=a&user=b', 'query.user is not known here'],
    ['/v1/current?userId=%zz', 'the query is not percent-encoded UTF-8'],
    ['/v1/current?userId=%ff', 'the query is not percent-encoded UTF-8'],
    ['/v1/current?userId=%ed%a0%80', 'the query is not percent-encoded UTF-8'],
    ['/v1/current?userId=a%00', 'query.userId has to be'],
    [`/v1/current?userId=${'x'.repeat(257)}`, 'query.userId has to have at most 256 characters (1 to 256'],
    ['/v1/current?userId=a&wait=0', 'query.wait has to be at least 1'],
    ['/v1/current?userId=a&wait=61', 'query.wait has to be at most 60'],
    ['/v1/current?userId=a&wait=', 'query.wait has to be of type integer'],
    ['/v1/current?userId=a&wait=1.5', 'query.wait has to be of type integer'],
    ['/v1/current?userId=a&wait=1&wait=2', 'query.wait has to be of type integer'],
    ['/v1/events?userId=a&limit=0', 'query.limit has to be at least 1 (100 when left out)'],
    ['/v1/events?userId=a&limit=501', 'query.limit has to be at most 500'],
    ['/v1/events?userId=a&after=-1', 'query.after has to be at least 0'],
    ['/v1/feed', 'query.partition is missing'],
    ['/v1/feed?partition=16', 'query.partition has to be below 16'],
    ['/v1/feed?partition=-1', 'query.partition has to be at least 0'],
    ['/v1/feed?partition=4096', 'query.partition has to be at most 4095'],
    ['/v1/feed?partition=zero', 'query.partition has to be of type integer'],
    ['/v1/feed?partition=0&limit=0', 'query.limit has to be at least 1'],
    ['/v1/feed?partition=0&limit=501', 'query.limit has to be at most 500'],
    ['/v1/feed?partition=0&after=9007199254740992', 'query.after has to be at most 9007199254740991'],
    ['/v1/feed?partition=0&after=1e400', 'query.after has to be of type integer'],
    [`/v1/feed?partition=0&after=${'9'.repeat(400)}`, 'query.after has to be at most 9007199254740991'],
    ['/v1/stream', 'query.userId is missing'],
    ['/v1/current?userId=a&all=maybe', 'query.all has to be of type boolean'],
    ['/v1/current?userId=a&asOf=', 'query.asOf has to be: an RFC 3339 time'],
    ['/v1/current?userId=a&asOf=yesterday', 'query.asOf has to be: an RFC 3339 time'],
    ['/v1/current?userId=a&asOf=2026-01-01', 'query.asOf has to be: an RFC 3339 time'],
    ['/v1/current?userId=a&asOf=2026-01-01T00:00:00', 'query.asOf has to be: an RFC 3339 time'],
    ['/v1/current?userId=a&asOf=2026-01-01T00:00:00+01:00', 'a + in it is sent as %2B'],
    ['/v1/current?userId=a&asOf=2026-02-30T00:00:00Z', 'query.asOf is not a valid time'],
    ['/v1/current?userId=a&asOf=2026-01-01T24:01:00Z', 'query.asOf is not a valid time'],
    ['/v1/current?userId=a&asOf=2999-01-01T00:00:00Z', 'query.asOf is in the future'],
    ['/v1/current?userId=a&asOf=9999-12-31T23:59:59-23:59', 'query.asOf is in the future'],
    ['/v1/current?userId=a&asOf=2026-01-01T00:00:00-99:00', 'query.asOf is not a valid time'],
    ['/v1/current?userId=a&asOf=9:9999999999999999', 'query.asOf has to be a position'],
    ['/v1/current?userId=a&asOf=-1:2', 'query.asOf has to be: an RFC 3339 time'],
    ['/v1/current?userId=a&asOf=4095:0', 'query.asOf is a position of partition 4095; this scope lives in'],
    ['/v1/current?userId=a&asOf=2026-01-01T00:00:00Z&wait=1', 'query.asOf cannot be waited for'],
    ['/v1/chain?userId=a&asOf=2999-01-01T00:00:00Z', 'query.asOf is in the future'],
    [`/v1/chain?userId=a&asOf=2026-01-01T00:00:00Z&sessionId=${uuid}`, 'two different chains'],
    ['/v1/chain?userId=a&sessionId=x', 'query.sessionId has to be'],
    ['/v1/chain', 'query.userId is missing'],
    ...['sessions', 'chain', 'transitions'].flatMap((name): [string, string][] => [
      [`/v1/${name}?userId=a&limit=0`, 'query.limit has to be at least 1'],
      [`/v1/${name}?userId=a&limit=501`, 'query.limit has to be at most 500'],
      [`/v1/${name}?userId=a&after=!`, 'query.after has to be: the `next` of an earlier page'],
      [`/v1/${name}?userId=a&after=abc`, 'query.after has to be the next of an earlier page'],
      [`/v1/${name}?userId=a&after=${'a'.repeat(65)}`, 'query.after has to be'],
      [`/v1/${name}?userId=a&atLeast=x`, 'query.atLeast has to be: a position'],
      [`/v1/${name}?userId=a&atLeast=4095:0`, 'query.atLeast is a position of partition 4095'],
    ]),
    ['/v1/sessions?userId=a&versionId=', 'query.versionId has to have at least 1 character'],
    ['/v1/stats?after=abc', 'query.after has to be the next of an earlier page'],
    ['/v1/stats?limit=501', 'query.limit has to be at most 500'],
    ['/v1/stats?consumer=a%20b', 'query.consumer has to be'],
  ];
  test.each(wrong)('%s: %s', async (path, detail) => {
    const { answer, faults, ...told } = await refused(`${kept.service.url}${path}`);
    expect([answer, faults]).toEqual(['400 invalid-request', []]);
    expect(told.detail).toContain(detail);
  });
});

describe('headers', () => {
  test.each([
    ['/v1/feed/stream', 'nonsense'],
    ['/v1/feed/stream', '0.0.0'],
    ['/v1/feed/stream', `${'0.'.repeat(15)}-1`],
    ['/v1/feed/stream', `${'0.'.repeat(15)}zzzzzzzzzzz`],
    ['/v1/stream?userId=a', '1.0'],
    ['/v1/stream?userId=a', '-1'],
    ['/v1/stream?userId=a', '9'.repeat(16)],
  ])('%s with Last-Event-ID %s', async (path, id) => {
    const { answer, faults, ...told } = await refused(`${kept.service.url}${path}`, {
      headers: { 'last-event-id': id },
    });
    expect([answer, faults]).toEqual(['400 invalid-request', []]);
    expect(told.detail).toBe('header.last-event-id is not an id of this stream');
  });

  test.each(['/v1/sessions', '/v1/chain', '/v1/transitions'])('%s with a Ledger-Position', async (path) => {
    const told = await refused(`${kept.service.url}${path}?userId=a`, {
      headers: { 'ledger-position': 'x' },
    });
    expect(told).toMatchObject({
      answer: '400 invalid-request',
      detail: 'header.ledger-position has to be a position, partition:sequence',
      faults: [],
    });
  });

  test.each([
    ['/v1/feed/stream', `${'0.'.repeat(15)}zzzz`],
    ['/v1/feed/stream', `1.${'0.'.repeat(14)}0`],
    ['/v1/stream?userId=a', '1'],
    ['/v1/stream?userId=a', '9'.repeat(15)],
  ])('%s with Last-Event-ID %s, which is ahead of the log', async (path, id) => {
    const { answer, faults, ...told } = await refused(`${kept.service.url}${path}`, {
      headers: { 'last-event-id': id },
    });
    expect([answer, faults]).toEqual(['409 position-ahead', []]);
    expect(told.detail).toMatch(/^header.last-event-id is ahead of the log/);
  });

  test.each([
    ['empty', ''],
    ['257 characters', 'k'.repeat(257)],
  ])('an Idempotency-Key that is %s', async (_, key) => {
    const body = { userId: 'ada', owner: cloudDev };
    const call = { body, headers: { 'idempotency-key': key } };
    expect(await refused(`${kept.service.url}/v1/sessions`, call)).toMatchObject({
      answer: '400 invalid-request',
      detail: 'header.idempotency-key has to be 1 to 256 characters',
      faults: [],
    });
  });

  test('more than Node takes, also as an address', async () => {
    const long = await refused(`${kept.service.url}/v1/current?userId=${'x'.repeat(20_000)}`);
    expect(long).toMatchObject({ answer: '431 headers-too-large', faults: [] });
  });
});

/** What a text on a connection is answered: status, code, detail. */
async function raw(text: string) {
  const { hostname, port } = new URL(kept.service.url);
  const socket = connect(Number(port), hostname);
  socket.end(text);
  const answer = (await readText(socket)).replace(/^HTTP\/1.1 100 Continue\r\n\r\n/, '');
  const { type, detail } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
  expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json/i);
  return [Number(answer.split(' ')[1]), type, ...(detail ? [detail] : [])];
}

describe('headers that mean nothing, or several things', () => {
  const invalid = [400, '/problems/invalid-request'];
  const current = 'GET /v1/current?userId=a HTTP/1.1\r\nConnection: close\r\n';
  const body = JSON.stringify({ userId: 'ada', owner: cloudDev });
  const post = `POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`;
  test.each([
    ['two hosts', `${current}Host: localhost\r\nHost: b\r\n\r\n`, 'header.host is there twice: send it once'],
    ['no host', `${current}\r\n`, 'header.host is missing'],
    [
      'two content types',
      `${post}Content-Type: application/json\r\ncontent-type: text/plain\r\n\r\n${body}`,
      'header.content-type is there twice: send it once',
    ],
    [
      'two keys',
      `${post}Content-Type: application/json\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n${body}`,
      'header.idempotency-key is there twice: send it once',
    ],
  ])('%s', async (_, text, detail) => {
    expect(await raw(text)).toEqual([...invalid, detail]);
  });
});

test.each(['foo', '200-ok', '100-continue, foo'])(
  'what expects %s is told that it is not done',
  async (expected) => {
    const body = JSON.stringify({ userId: 'ada', owner: cloudDev });
    const text =
      `POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n` +
      `Content-Type: application/json\r\nExpect: ${expected}\r\n\r\n${body}`;
    expect(await raw(text)).toEqual([
      417,
      '/problems/expectation-failed',
      'header.expect has to be 100-continue, or left out',
    ]);
  },
);

test.each(['FOO', 'get', 'M-SEARCH', 'PROPFIND', 'QUERY', 'SEARCH', 'TRACE', 'CONNECT'])(
  '%s is a method that no address takes',
  async (method) => {
    const target = method === 'CONNECT' ? 'example.org:443' : '/v1/current?userId=a';
    const text = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    expect((await raw(text)).slice(0, 2)).toEqual([501, '/problems/unknown-method']);
  },
);

test('what is no request line is no HTTP, whatever it starts with', async () => {
  expect((await raw('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n')).slice(0, 2)).toEqual([
    400,
    '/problems/invalid-http',
  ]);
  expect((await raw('hello\r\n\r\n')).slice(0, 2)).toEqual([400, '/problems/invalid-http']);
});

test('what is no HTTP is answered with a problem, and the connection closed', async () => {
  const { hostname, port } = new URL(kept.service.url);
  const socket = connect(Number(port), hostname);
  socket.end('GET /v1/current HTTP/9.9\r\n\r\n');
  const answer = await readText(socket);
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/);
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ type: '/problems/invalid-http' });
});

test('what is unusual but right is taken', async () => {
  const deep = JSON.parse(`${'{"a":'.repeat(8)}1${'}'.repeat(8)}`);
  const body = {
    userId: '🎈'.repeat(255) + newUser().slice(-1),
    projectId: '../%2F?#&=',
    owner: { environment: ' ' },
    attributes: deep,
  };
  const headers = { 'content-type': 'application/json; charset=utf-8', 'idempotency-key': 'k'.repeat(256) };
  const { status, body: answer } = await ask<CommandBody>(`${kept.service.url}/v1/sessions`, {
    body,
    headers,
  });
  expect([status, answer.session]).toMatchObject([
    201,
    { scope: { userId: body.userId, projectId: body.projectId }, attributes: deep },
  ]);
  const full = { a: 'x'.repeat(4_088) };
  const more = { body: { ...body, attributes: full }, headers: { 'idempotency-key': 'k' } };
  expect((await ask(`${kept.service.url}/v1/sessions`, more)).status).toBe(201);
  kept.heads = await headsOf(kept.service.url);
});

describe('erasing details', () => {
  test.each([
    ['', 'query.userId is missing'],
    ['?userId=', 'query.userId has to have at least 1 character'],
    ['?userId=a&projectId=', 'query.projectId has to have at least 1 character'],
    ['?userId=a&all=true', 'query.all is not known here'],
    ['?projectId=p', 'query.userId is missing'],
    ['?userId=a&userId=b', 'query.userId has to be of type string'],
  ])('DELETE /v1/details%s', async (query, detail) => {
    const { answer, faults, ...told } = await refused(`${kept.service.url}/v1/details${query}`, {
      method: 'DELETE',
    });
    expect([answer, faults]).toEqual(['400 invalid-request', []]);
    expect(told.detail).toContain(detail);
  });
});
