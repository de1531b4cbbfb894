import { type Operation, operations } from '#api/schemas';
import { bothLedgers, type Ledger } from '../support/both-ledgers.js';
import { commandBodies, type SessionCommand, takesEpoch } from '../support/command-bodies.js';
import { type Call, type Reply } from '../support/http.js';
import { type CommandBody, cloudDebug, cloudDev, newUser, type ProblemBody } from '../support/sessions.js';

/** What is right is taken, however it is written; what is wrong is refused, with the reason: by both ledgers. */

let ledgers: [service: Ledger, memory: Ledger];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

type Method = 'POST' | 'PATCH';
// biome-ignore lint/suspicious/noExplicitAny: answers of any operation
type Answer = Reply<any>;
type Ask = (path: string, call?: Call) => Promise<Answer>;

function asked({ url, fetch: send }: Ledger): Ask {
  return async (path, { method, body, headers = {} } = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await send(`${url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: text }),
    });
    const answer = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && answer !== '';
    const { status } = response;
    return { status, headers: response.headers, text: answer, body: isJson ? JSON.parse(answer) : undefined };
  };
}

const told = ({ status, body }: Answer) => [status, body?.type?.replace('/problems/', '') ?? body?.outcome];

describe.each([
  ['the service', 0],
  ['the memory ledger', 1],
] as const)('%s', (_, index) => {
  let ask: Ask;
  beforeAll(() => {
    ask = asked(ledgers[index]);
  });
  const start = async (more: object = {}) => {
    const body = { userId: newUser(), owner: cloudDev, ...more };
    const { session } = (await ask('/v1/sessions', { body })).body as CommandBody;
    return { ...session, path: `/v1/sessions/${session.sessionId}` };
  };
  const refusedWith = async (answer: Promise<Answer>) => {
    const { status, body } = await answer;
    return [status, (body as ProblemBody).type.replace('/problems/', ''), (body as ProblemBody).detail];
  };

  describe('a request with an Idempotency-Key', () => {
    test('is the same request when its text differs and its meaning does not', async () => {
      const userId = newUser();
      const headers = { 'idempotency-key': `key of ${userId}` };
      const send = (body: string) => ask('/v1/sessions', { body, headers });
      const first = await send(
        `{"userId":"${userId}","owner":{"environment":"é","instance":"i"},"attributes":{"10":1.0,"9":[1,{"b":1,"a":2}]}}`,
      );
      const again = await send(
        `{ "attributes": {"9":[1, {"a":2.0,"b":1e0}], "10":1}, "owner": {"instance":"i","environment":"\\u00e9"}, "userId":"${userId}" }`,
      );
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.body.session.sessionId).toBe(first.body.session.sessionId);
      // Lists have an order.
      const other = await send(
        `{"userId":"${userId}","owner":{"environment":"é","instance":"i"},"attributes":{"10":1,"9":[{"b":1,"a":2},1]}}`,
      );
      expect(told(other)).toEqual([422, 'key-reused']);
    });

    test('is another request when another operation, or another session, is meant', async () => {
      const [one, two] = [await start({ phase: 'starting' }), await start({ phase: 'starting' })];
      const call = { body: { epoch: 1 }, headers: { 'idempotency-key': `key of ${one.sessionId}` } };
      expect(told(await ask(`${one.path}/activate`, call))).toEqual([200, 'activated']);
      expect(told(await ask(`${one.path}/release`, call))).toEqual([422, 'key-reused']);
      // A key is the scope's: another scope has not seen it.
      expect(told(await ask(`${two.path}/activate`, call))).toEqual([200, 'activated']);
      const rotated = await ask(`${two.path}/rotate`, { body: { epoch: 1, reason: 'build' } });
      const successor = { ...call, body: { epoch: 1 } };
      expect(told(await ask(`/v1/sessions/${rotated.body.session.sessionId}/activate`, successor))).toEqual([
        422,
        'key-reused',
      ]);
    });

    test('may name its session in upper case', async () => {
      const { sessionId, path } = await start();
      const call = { body: { usage: { inputTokens: 1 } }, headers: { 'idempotency-key': sessionId } };
      await ask(`${path}/usage`, call);
      const again = await ask(`/v1/sessions/${sessionId.toUpperCase()}/usage`, call);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    });

    test('orders one bulk job', async () => {
      const userId = newUser();
      const headers = { 'idempotency-key': `bulk of ${userId}` };
      const send = (body: string) => ask('/v1/bulk', { body, headers });
      const first = await send(`{"select":{"userId":"${userId}"},"action":"end","reason":"r"}`);
      const again = await send(`{"reason":"r","action":"end","select":{"userId":"${userId}"}}`);
      expect([first.status, again.status, again.body.jobId]).toEqual([202, 202, first.body.jobId]);
    });

    const keyed = Object.entries<Operation>(operations).filter(
      ([, { method }]) => method === 'POST' || method === 'PATCH',
    );
    test.each(keyed)('cannot have one of 257 characters: %s', async (id, { method, path }) => {
      const session = await start({ lease: { seconds: 600 } });
      const call = {
        method,
        body: bodyOf(id, session),
        headers: { 'idempotency-key': 'k'.repeat(257) },
      };
      const answer = ask(path.replace(':sessionId', session.sessionId), call);
      expect(await refusedWith(answer)).toEqual([
        400,
        'invalid-request',
        'header.idempotency-key has to be 1 to 256 characters',
      ]);
    });
  });

  describe('a session id in upper case', () => {
    const ofSession = Object.entries<Operation>(operations).filter(([, { path }]) =>
      path.includes(':sessionId'),
    );
    test.each(ofSession)('is known to %s', async (id, { method, path }) => {
      const session = await start({ lease: { seconds: 600 }, phase: 'starting' });
      if (id !== 'activateSession') await ask(`${session.path}/activate`, { body: { epoch: 1 } });
      const body = method === 'GET' ? undefined : bodyOf(id, session);
      const upper = session.sessionId.toUpperCase();
      expect(upper).not.toBe(session.sessionId);
      const answer = await ask(path.replace(':sessionId', upper), { method: method as Method, body });
      expect(answer.status).toBe(200);
      expect(answer.text).toContain(session.sessionId);
      expect(answer.text).not.toContain(upper);
    });

    test('is known in bodies and queries', async () => {
      const session = await start({ lease: { seconds: 600 } });
      const { sessionId, scope } = session;
      const upper = sessionId.toUpperCase();
      const renewal = { sessionId: upper, epoch: 1 };
      const renewed = await ask('/v1/leases/renew', { body: [renewal] });
      expect(renewed.body.results).toMatchObject([{ outcome: 'renewed', sessionId }]);
      const twice = ask('/v1/leases/renew', { body: [renewal, { sessionId, epoch: 1 }] });
      expect(await refusedWith(twice)).toEqual([400, 'invalid-request', 'body names a session twice']);
      const resolved = await ask('/v1/resolve', { body: { candidates: [renewal, { sessionId, epoch: 1 }] } });
      expect(resolved.body).toMatchObject({ session: { sessionId }, unknown: [] });
      const consumer = `consumer-${sessionId}`;
      await ask('/v1/reports', { body: [{ consumer, userId: scope.userId, sessionId: upper }] });
      const stats = await ask(`/v1/stats?consumer=${consumer}`);
      expect(stats.body.sync).toMatchObject({ inSync: 1, outOfSync: 0, unknown: 0 });
      const chain = await ask(
        `/v1/chain?userId=${scope.userId}&sessionId=${upper}&atLeast=${await head(session)}`,
      );
      expect(chain.body.sessions).toMatchObject([{ sessionId }]);
    });

    test('is a bulk job, too', async () => {
      const order = { select: { userId: newUser() }, action: 'end', reason: 'r' };
      const { jobId } = (await ask('/v1/bulk', { body: order })).body;
      const job = await ask(`/v1/bulk/${jobId.toUpperCase()}?wait=10`);
      expect(job.body).toMatchObject({ jobId, state: 'finished' });
    });
  });

  /** The last position of a session's partition that its scope's events tell of. */
  async function head({ scope }: CommandBody['session']): Promise<string> {
    const { events } = (await ask(`/v1/events?userId=${scope.userId}`)).body;
    return events.at(-1).id;
  }

  describe('attributes', () => {
    const starting = (attributes: string) =>
      ask('/v1/sessions', {
        body: `{"userId":"${newUser()}","owner":{"environment":"x"},"attributes":${attributes}}`,
      });

    test.each([
      ['{"a":9007199254740993}', '/attributes/a'],
      ['{"a":-9007199254740993}', '/attributes/a'],
      ['{"a/b":{"c~d":[0,12345678901234567890]}}', '/attributes/a~1b/c~0d/1'],
      ['{"a":1e-400}', '/attributes/a'],
      ['{"a":1e400}', '/attributes/a'],
      ['{"a":0.1000000000000000055511151231257827}', '/attributes/a'],
      ['{"a":[1,2,{"b":1.00000000000000000001}]}', '/attributes/a/2/b'],
    ])('%s has a number that would be changed, and is refused', async (attributes, pointer) => {
      const detail = `the number at ${pointer} is too large, too small or too precise for a double, so it would be changed: send it as a string`;
      expect(await refusedWith(starting(attributes))).toEqual([400, 'invalid-attributes', detail]);
    });

    test('with such a number in a patch are refused as well', async () => {
      const { path } = await start();
      const body = '{"epoch":1,"attributes":{"id":9007199254740993}}';
      const answer = ask(`${path}/attributes`, { method: 'PATCH', body });
      expect((await refusedWith(answer)).slice(0, 2)).toEqual([400, 'invalid-attributes']);
    });

    test.each([
      '{"a":9007199254740992}',
      '{"a":9007199254740994}',
      '{"a":1.0}',
      '{"a":0.1}',
      '{"a":0.30000000000000004}',
      '{"a":1e21}',
      '{"a":1.5e-7}',
      '{"a":5e-324}',
      '{"a":0.000000000000000000}',
      '{"a":100000000000000000000}',
      '{"a":"9007199254740993"}',
      '{"a":"\\"b\\":9007199254740993, \\"b\\":1e400"}',
      '{"a\\"":{"a":"a","b":"a"},"b":":","c":["\\\\"]}',
      '{"constructor":1,"prototype":2}',
    ])('%s stay as they are', async (attributes) => {
      const answer = await starting(attributes);
      expect([answer.status, answer.body.session?.attributes]).toEqual([201, JSON.parse(attributes)]);
    });

    test.each([
      ['{"__proto__":{"a":1}}', '/attributes/__proto__'],
      ['{"\\u005f_proto__":{"a":1}}', '/attributes/__proto__'],
      ['{"a":{"constructor":{"prototype":{}}}}', '/attributes/a/constructor/prototype'],
    ])('%s have a name that is not taken', async (attributes, pointer) => {
      const [status, code, detail] = await refusedWith(starting(attributes));
      expect([status, code]).toEqual([400, 'invalid-request']);
      expect(detail).toContain(`the member at ${pointer} has a name that would change an object`);
    });
  });

  test.each([
    ['{"userId":"a","userId":"b","owner":{"environment":"x"}}', '/userId'],
    ['{"userId":"a","user\\u0049d":"b","owner":{"environment":"x"}}', '/userId'],
    ['{"userId":"a","owner":{"environment":"x","environment" : "y"}}', '/owner/environment'],
    ['{"userId":"a","owner":{"environment":"x"},"attributes":{"a":[{"":1,"":1}]}}', '/attributes/a/0/'],
  ])('a body that has a member twice is refused: %s', async (body, pointer) => {
    const [status, code, detail] = await refusedWith(ask('/v1/sessions', { body }));
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(detail).toBe(`the member at ${pointer} is there twice, so its value is ambiguous: send it once`);
  });

  test.each(['1.00000000000000000001', '1e-400', '0.0000000000000000000000000001e28'])(
    'an epoch is what was written, or it is refused: %s',
    async (epoch) => {
      const { path } = await start();
      const answer = await ask(`${path}/release`, { body: `{"epoch":${epoch}}` });
      if (epoch.endsWith('e28')) expect(told(answer)).toEqual([200, 'released']);
      else
        expect(answer.body).toMatchObject({
          status: 400,
          detail: expect.stringContaining('the number at /epoch'),
        });
    },
  );

  describe('a cost', () => {
    const report = (path: string, amount: string) =>
      ask(`${path}/usage`, { body: `{"usage":{"cost":{"amount":${amount},"currency":"USD"}}}` });

    test('is taken as programs have it, and summed exactly', async () => {
      const session = await start();
      const amounts = [
        '0.028596000000000003',
        '1.5e-7',
        '"1.5E-07"',
        '0.00030750000000000005',
        '"0.10"',
        '2',
        '"3e0"',
        '1e2',
      ];
      for (const amount of amounts) {
        expect((await report(session.path, amount)).status).toBe(200);
      }
      const { usage } = (await ask(session.path)).body;
      expect(usage.cost).toEqual({ USD: '105.12890380000000000305' });
      const events = (await ask(`/v1/events?userId=${session.scope.userId}`)).body.events;
      expect(
        events.slice(1).map((event: { data: { usage: { cost: object } } }) => event.data.usage.cost),
      ).toEqual(
        [
          '0.028596000000000003',
          '0.00000015',
          '0.00000015',
          '0.00030750000000000005',
          '0.1',
          '2',
          '3',
          '100',
        ].map((amount) => ({ amount, currency: 'USD' })),
      );
      const summed = await ask(`/v1/usage?userId=${session.scope.userId}&atLeast=${await head(session)}`);
      expect(summed.body.usage.cost).toEqual({ USD: '105.12890380000000000305' });
    });

    test('is taken digit by digit, also where a double would have another value', async () => {
      const session = await start();
      const amounts = ['0.10000000000000001', '0.1234567890123456789', '0.999999999999999999', '15E-8'];
      for (const amount of amounts) expect((await report(session.path, amount)).status).toBe(200);
      const { events } = (await ask(`/v1/events?userId=${session.scope.userId}`)).body;
      expect(
        events
          .slice(1)
          .map((event: { data: { usage: { cost: { amount: string } } } }) => event.data.usage.cost.amount),
      ).toEqual([...amounts.slice(0, 3), '0.00000015']);
    });

    test('means the same under one key however it is written, and nothing else does', async () => {
      const session = await start();
      const { epoch, path } = session;
      const write = (operation: string, amount: string, key: string) =>
        ask(`${path}/${operation}`, {
          body: `{${operation === 'rotate' ? `"epoch":${epoch},"reason":"build",` : ''}"usage":{"cost":{"amount":${amount},"currency":"USD"}}}`,
          headers: { 'idempotency-key': `${key} ${path}` },
        });
      for (const operation of ['usage', 'rotate']) {
        const first = await write(operation, '1.5e-7', operation);
        expect(first.status).toBe(200);
        for (const same of ['"0.00000015"', '0.00000015', '0.000000150', '"15e-8"', '1.50E-07']) {
          const again = await write(operation, same, operation);
          expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
        }
        for (const other of ['1.5e-8', '"0.000000150000000000000001"', '0.15']) {
          expect(told(await write(operation, other, operation))).toEqual([422, 'key-reused']);
        }
      }
      // A double cannot tell these apart.
      await write('usage', '0.1', 'precise');
      expect(told(await write('usage', '0.10000000000000001', 'precise'))).toEqual([422, 'key-reused']);
    });

    test('comes with a rotation, too', async () => {
      const { path } = await start();
      const usage = { cost: { amount: 1.5e-7, currency: 'USD' } };
      await ask(`${path}/rotate`, { body: { epoch: 1, reason: 'build', usage } });
      expect((await ask(path)).body.usage.cost).toEqual({ USD: '0.00000015' });
    });

    test('has up to 18 digits before the point and 30 after it', async () => {
      const { path } = await start();
      const [whole, fraction] = ['9'.repeat(18), '1'.repeat(30)];
      await report(path, `"${whole}"`);
      await report(path, `"0.${fraction}"`);
      expect((await ask(path)).body.usage.cost).toEqual({ USD: `${whole}.${fraction}` });
      for (const amount of [
        `"9${whole}"`,
        `"0.${fraction}1"`,
        '1e18',
        '1e-31',
        '"1e999"',
        '"1e-999"',
        '5e-324',
      ]) {
        expect(await refusedWith(report(path, amount))).toEqual([
          400,
          'invalid-request',
          'body.usage.cost.amount has to have at most 18 digits before the point and 30 after it',
        ]);
      }
    });

    test.each([
      '-1',
      '-1e-7',
      '"-1"',
      '"+1"',
      '".5"',
      '"5."',
      '"007"',
      '"1e"',
      '"1e+"',
      '"1e1234"',
      '"0x1"',
      '" 1"',
      '""',
      'true',
      'null',
      '1e400',
      '0.1000000000000000055511151231257827',
    ])('is not %s', async (amount) => {
      const { path } = await start();
      const [status, code, detail] = await refusedWith(report(path, amount));
      expect([status, code]).toEqual([400, 'invalid-request']);
      expect(detail).toMatch(/^body\.usage\.cost\.amount has to|^the number at \/usage\/cost\/amount is too/);
    });
  });

  describe('a query', () => {
    const numbers = Object.values<Operation>(operations).flatMap(({ path, query }) => {
      const { properties = {}, required = [] } = (query ?? {}) as {
        properties?: Record<string, { type?: string }>;
        required?: string[];
      };
      const others = required.map((name) => `${name}=${properties[name]?.type === 'integer' ? '0' : 'a'}`);
      return Object.entries(properties)
        .filter(([, { type }]) => type === 'integer')
        .map(([name]) => {
          const rest = others.filter((one) => !one.startsWith(`${name}=`)).join('&');
          return [`${path.replace(':jobId', '01920000-0000-7003-8000-000000000000')}?${rest}`, name] as const;
        });
    });
    test.each(numbers)('of %s has %s as a number in decimal digits', async (path, name) => {
      for (const value of [
        '0x1',
        '0b1',
        '0o7',
        '%20',
        '%201',
        '1%20',
        '+1',
        '%2B1',
        '1e0',
        '1.0',
        'NaN',
        'Infinity',
        '-0',
        '-00',
        '',
      ]) {
        expect(await refusedWith(ask(`${path}&${name}=${value}`))).toEqual([
          400,
          'invalid-request',
          `query.${name} has to be of type integer`,
        ]);
      }
    });

    test('takes a sequence as events have it', async () => {
      const session = await start();
      const { events } = (await ask(`/v1/events?userId=${session.scope.userId}`)).body;
      const [{ partition, sequence }] = events;
      const page = await ask(`/v1/feed?partition=${partition}&after=${sequence}`);
      expect([sequence.length, page.body.events]).toEqual([16, []]);
    });

    const projected = Object.values<Operation>(operations).flatMap(({ path, query }) =>
      'atLeast' in ((query as { properties?: object } | undefined)?.properties ?? {}) ? [path] : [],
    );
    test.each(projected)('%s asks for a position that there is', async (path) => {
      const { scope, sessionId } = await start();
      const partition = Number.parseInt(sessionId.slice(15, 18), 16);
      const began = performance.now();
      const position = `${partition}:9007199254740991`;
      const detail = `is ahead of the log, which has no position ${position}: it comes from another ledger, or this one was restored`;
      expect(await refusedWith(ask(`${path}?userId=${scope.userId}&atLeast=${position}`))).toEqual([
        400,
        'invalid-request',
        `query.atLeast ${detail}`,
      ]);
      const headers = { 'ledger-position': position };
      expect(await refusedWith(ask(`${path}?userId=${scope.userId}`, { headers }))).toEqual([
        400,
        'invalid-request',
        `header.ledger-position ${detail}`,
      ]);
      expect(performance.now() - began).toBeLessThan(4_000); // no waiting, which takes 5 s each
    });
  });

  describe('a body', () => {
    const body = () => ({ userId: newUser(), owner: cloudDev });
    test.each(['utf-16', 'iso-8859-1', '"UTF-16LE"', 'us-ascii'])(
      'in the charset %s is refused',
      async (charset) => {
        const headers = { 'content-type': `application/json; charset=${charset}` };
        expect(await refusedWith(ask('/v1/sessions', { body: body(), headers }))).toEqual([
          415,
          'unsupported-media-type',
          'header.content-type has to have the charset utf-8, or none: JSON is UTF-8',
        ]);
      },
    );

    test.each([
      'charset=utf-8; charset=utf-16',
      'charset=utf-16;charset=utf-8',
      'charset=utf-8; Charset = "utf-8"',
      'a="x; b=\\"y"; charset=utf-8; A=2',
    ])('whose type has a parameter twice is refused: %s', async (parameters) => {
      const headers = { 'content-type': `application/json; ${parameters}` };
      expect(await refusedWith(ask('/v1/sessions', { body: body(), headers }))).toEqual([
        415,
        'unsupported-media-type',
        expect.stringMatching(/^header\.content-type has (charset|a) twice: send it once$/),
      ]);
    });

    test.each(['gzip', 'br', 'deflate', 'gzip, identity'])(
      'in the encoding %s is refused',
      async (encoding) => {
        const headers = { 'content-encoding': encoding };
        expect(await refusedWith(ask('/v1/sessions', { body: body(), headers }))).toEqual([
          415,
          'unsupported-media-type',
          'header.content-encoding has to be left out: compressed bodies are not read',
        ]);
      },
    );

    test.each([
      { 'content-type': 'application/json; charset=utf-8' },
      { 'content-type': 'application/json;charset="UTF-8"' },
      { 'content-type': 'application/json ; profile=x; charset=utf8' },
      { 'content-type': 'application/json; profile="a; charset=utf-16"' },
      { 'content-encoding': 'identity' },
    ])('with %j is taken', async (headers) => {
      expect(
        (await ask('/v1/sessions', { body: body(), headers: headers as Record<string, string> })).status,
      ).toBe(201);
    });

    test('may start with a byte order mark', async () => {
      expect((await ask('/v1/sessions', { body: `\ufeff${JSON.stringify(body())}` })).status).toBe(201);
    });

    test('need not be there for a DELETE, whatever its content type', async () => {
      for (const type of ['application/json', 'application/json; charset=utf-8']) {
        const headers = { 'content-type': type };
        const answer = await ask(`/v1/details?userId=${newUser()}`, { method: 'DELETE', headers });
        expect(told(answer)).toEqual([200, 'unchanged']);
      }
    });
  });

  test('a method that an address does not take is 405 with those that it takes; one that nobody knows is 501', async () => {
    for (const method of ['PUT', 'OPTIONS']) {
      const answer = await ask('/v1/sessions', { method });
      expect([...told(answer), answer.headers.get('allow')]).toEqual([
        405,
        'method-not-allowed',
        'POST, GET, HEAD',
      ]);
      expect(told(await ask('/nothing', { method }))).toEqual([404, 'not-found']);
    }
    for (const method of ['FOO', 'PROPFIND', 'QUERY', 'patch']) {
      for (const path of ['/v1/sessions', '/nothing']) {
        expect(told(await ask(path, { method }))).toEqual([501, 'unknown-method']);
      }
    }
  });

  test('a method is looked at before the body that comes with it', async () => {
    for (const body of ['no json', '{"userId":"u"}']) {
      const headers = { 'content-type': body === 'no json' ? 'text/plain' : 'application/json' };
      expect(told(await ask('/v1/sessions', { method: 'PUT', body, headers }))).toEqual([
        405,
        'method-not-allowed',
      ]);
      expect(told(await ask('/v1/sessions', { method: 'QUERY', body, headers }))).toEqual([
        501,
        'unknown-method',
      ]);
      expect(told(await ask('/nothing', { method: 'POST', body, headers }))).toEqual([404, 'not-found']);
    }
  });

  test('what no revision tells of has no ETag: the end of a lease, whether one waited for it or not', async () => {
    const { scope, revision } = await start({ lease: { seconds: 600 } });
    const etag = async (query: string) => {
      const { status, headers } = await ask(`/v1/current?userId=${scope.userId}${query}`);
      return [status, headers.get('etag')];
    };
    expect(await etag('')).toEqual([200, `"${revision}"`]);
    expect(await etag('&include=lease')).toEqual([200, null]);
    expect(await etag(`&wait=1&after=${revision - 1}`)).toEqual([200, `"${revision}"`]);
    expect(await etag(`&include=lease&wait=1&after=${revision - 1}`)).toEqual([200, null]);
    expect(await etag(`&wait=1&after=${revision}`)).toEqual([304, `"${revision}"`]);
    expect(await etag(`&include=lease&wait=1&after=${revision}`)).toEqual([304, null]);
  });

  test('a page of events says of which past it is, since its numbers do not', async () => {
    const { scope, sessionId } = await start();
    const partition = Number.parseInt(sessionId.slice(15, 18), 16);
    const pages = [`/v1/events?userId=${scope.userId}`, `/v1/feed?partition=${partition}`];
    for (const page of [...pages, ...pages.map((one) => `${one}&after=1`)]) {
      const { status, headers } = await ask(page);
      expect([page, status, headers.get('ledger-restores')]).toEqual([page, 200, '0']);
    }
  });

  test('Retry-After says how long a reservation, or a drain, still lasts', async () => {
    const reserved = await start();
    await ask(`${reserved.path}/release`, { body: { epoch: 1, to: cloudDev, reservedSeconds: 600 } });
    const draining = await start({ lease: { seconds: 600 } });
    await ask(`${draining.path}/end`, {
      body: { epoch: 1, origin: cloudDev, reason: 'r', drainSeconds: 300 },
    });
    const answers = [
      await ask(`${reserved.path}/claim`, { body: { epoch: 2, owner: cloudDebug } }),
      await ask('/v1/sessions', {
        body: { userId: reserved.scope.userId, owner: cloudDebug, onConflict: 'join' },
      }),
      await ask(`${draining.path}/claim`, { body: { epoch: 1, owner: cloudDebug } }),
      await ask(`${draining.path}/renew`, { body: { epoch: 1 } }),
    ];
    expect(answers.map(told)).toEqual([
      [409, 'reserved'],
      [409, 'reserved'],
      [409, 'session-ending'],
      [409, 'session-ending'],
    ]);
    const seconds = answers.map(({ headers }) => Number(headers.get('retry-after')));
    expect(seconds.slice(0, 2).every((one) => one > 570 && one <= 600)).toBe(true);
    expect(seconds.slice(2).every((one) => one > 270 && one <= 300)).toBe(true);
  });
});

/** A body that an operation obeys when its session is new, by operation; the others take the epoch alone. */
/** The plainest body of an operation. */
function bodyOf(id: string, { sessionId, epoch, scope }: CommandBody['session']): object {
  if (id in commandBodies) {
    const [plainest] = commandBodies[id as SessionCommand];
    return { ...plainest?.(scope.userId), ...(takesEpoch(id as SessionCommand) && { epoch }) };
  }
  const others: Record<string, object> = {
    startSession: { userId: scope.userId, owner: cloudDev },
    createKey: { tenant: 'acme', name: 'a key', permissions: ['read'] },
    rotateKey: { overlapSeconds: 60 },
    sendCommands: { commands: [{ operation: 'touchSession', sessionId }] },
    currentSessions: { of: [{ sessionId }] },
    renewLeases: [{ sessionId, epoch }],
    resolve: { candidates: [{ sessionId, epoch }] },
    startBulk: { select: { userId: scope.userId }, action: 'end', reason: 'done' },
    report: [{ consumer: 'c', userId: scope.userId, sessionId }],
  };
  return others[id] ?? {};
}
