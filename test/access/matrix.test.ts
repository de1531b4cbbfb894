import { type Operation, type OperationId, operations, problemsOf } from '#api/schemas';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { type Issuer, startIssuer } from '../support/access/issuer.js';
import { ask, statusFrom } from '../support/http.js';
import { startService } from '../support/service.js';

/** Every operation, asked with every credential that there is: the table is made from the operations. */

const all = Object.entries<Operation>(operations);
const uuid = '01920000-0000-7003-8000-000000000000';

let guarded: Guarded;
let issuer: Issuer;
/** What does not count, and how it is answered. */
const bad: Record<string, Record<string, string>> = {};
/** One of each permission, and one with all that there are. */
const keys: Record<string, string> = {};
beforeAll(async () => {
  issuer = await startIssuer();
  guarded = await startGuarded({ env: issuer.env });
  const { key, revoke } = guarded;
  for (const one of ['read', 'write', 'operate'] as const) {
    keys[one] = (await key({ permissions: [one] })).secret;
  }
  keys.admin = (await key({ permissions: ['admin'] })).secret;
  keys.audit = (await key({ tenant: '', ledgerWide: true, permissions: ['audit'] })).secret;
  const revoked = await key({});
  await revoke(revoked.id);
  const short = await key({ expiresInSeconds: 1 });
  const { secret: good } = await key({});
  const elsewhere = await startGuarded();
  Object.assign(bad, {
    none: {},
    'another scheme': { authorization: `Basic ${good}` },
    'nothing but the scheme': { authorization: 'Bearer ' },
    malformed: { authorization: 'Bearer a b' },
    'what is no key': by('abc'),
    'a bad checksum': by(`${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`),
    'a key in another case': by(good.toLowerCase()),
    'a cut key': by(good.slice(0, -1)),
    revoked: by(revoked.secret),
    expired: by(short.secret),
    'a key of another ledger': by((await elsewhere.key({ permissions: ['read', 'write'] })).secret),
    'a token without a signature': by(issuer.unsigned({})),
    'a token of another issuer': by(await issuer.token({ iss: 'https://elsewhere.example' })),
    'a token for another audience': by(await issuer.token({ aud: 'elsewhere' })),
    'a token without an audience': by(await issuer.token({ aud: undefined })),
    'a token that is over': by(await issuer.token({}, { from: -7_200, to: -300 })),
    'a token from the future': by(await issuer.token({}, { from: 300, to: 600 })),
    'a token for a day': by(await issuer.token({}, { from: 0, to: 86_400 })),
    'a token without a subject': by(await issuer.token({ sub: undefined })),
    'a token with a subject that events cannot carry': by(await issuer.token({ sub: 'a"b' })),
    'a token of no tenant': by(await issuer.token({ tenant: undefined })),
    'a token of a tenant that is none': by(await issuer.token({ tenant: 'red/ada' })),
    'a token with permissions that are no list': by(await issuer.token({ permissions: 'read' })),
    'a token signed with another key': by(await issuer.forged({})),
    'a token signed with the public key': by(await issuer.confused({})),
  });
  await new Promise((resolve) => setTimeout(resolve, 1_200)); // until the short one is over
});

const path = ({ path: of }: Operation) => of.replace(/:\w+/g, uuid);
const asks = (operation: Operation, headers: Record<string, string>) =>
  ask(`${guarded.service.url}${path(operation)}`, {
    method: operation.method,
    headers,
    ...(operation.body && { body: {} }),
  });
const open = all.filter(([, { needs }]) => needs === 'nothing').map(([id]) => id);
const closed = all.filter(([, { needs }]) => needs !== 'nothing').map(([id]) => id);

test('only what a problem means needs no credential', () => {
  expect(open).toEqual(['problem']);
});

test.each(closed)('%s is answered to nobody whose credential does not count', async (id) => {
  const operation: Operation = operations[id as OperationId];
  for (const [what, headers] of Object.entries(bad)) {
    const { status, body, headers: answered } = await asks(operation, headers);
    const code = String(body?.type).replace('/problems/', '');
    // From the 21st in a minute on an address is told to wait: with none at all it is not counted.
    expect([what, code]).toEqual([what, expect.stringMatching(/^(unauthenticated|rate-limited)$/)]);
    if (code === 'rate-limited') expect(Number(answered.get('retry-after'))).toBeGreaterThan(0);
    else expect([status, answered.get('www-authenticate')]).toEqual([401, 'Bearer']);
  }
});

test.each(closed)(
  '%s is answered to whoever has a permission that it needs, and to nobody else',
  async (id) => {
    const operation: Operation = operations[id as OperationId];
    for (const [permission, secret] of Object.entries(keys)) {
      const isAllowed = operation.needs !== 'nothing' && operation.needs.some((one) => one === permission);
      const gone = new AbortController();
      const { status, type } = await answerOf(operation, by(secret), gone);
      const isRefused = status === 403 && type === '/problems/permission-required';
      expect([permission, isRefused]).toEqual([permission, !isAllowed]);
      expect(status).not.toBe(401);
      if (isRefused) expect(problemsOf(operation)).toContain('permission-required');
    }
  },
);

/** The head of an answer: of a stream there is no end. */
async function answerOf(
  { method, ...operation }: Operation,
  headers: Record<string, string>,
  gone: AbortController,
) {
  const response = await fetch(`${guarded.service.url}${path({ method, ...operation })}`, {
    method,
    signal: gone.signal,
    headers: { ...headers, ...(operation.body && { 'content-type': 'application/json' }) },
    ...(operation.body && { body: '{}' }),
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const type = isStream ? undefined : parsed(await response.text())?.type;
  gone.abort();
  return { status: response.status, type };
}

function parsed(text: string): { type?: string } | undefined {
  return text.startsWith('{') ? JSON.parse(text.split('\n', 1)[0] ?? '') : undefined;
}

const current = () => `${guarded.service.url}/v1/current?userId=nobody`;

test('a right key is let in however many wrong ones came from its address', async () => {
  const answers = [];
  for (let count = 0; count < 40; count += 1)
    answers.push((await ask(current(), { headers: by('abc') })).status);
  expect(new Set(answers.slice(-15))).toEqual(new Set([429]));
  expect((await ask(current(), { headers: by(keys.read ?? '') })).status).toBe(404);
});

test('two Authorization headers are refused, and a token in the query is none', async () => {
  const { hostname, port } = new URL(guarded.service.url);
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    const headers = [
      'host',
      'localhost',
      'authorization',
      `Bearer ${keys.read}`,
      'authorization',
      'Bearer x',
    ];
    request({ hostname, port, path: '/v1/current?userId=a', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(400);
  expect((await ask(`${current()}&access_token=${keys.read}`)).status).toBe(401);
  const inQuery = await ask(`${current()}&access_token=${keys.read}`, { headers: by(keys.read ?? '') });
  expect(inQuery.status).toBe(400);
  expect(inQuery.text).not.toContain(keys.read);
});

test('a token says by its claims who asks, for what, and in which tenant', async () => {
  const token = await issuer.token({
    sub: 'auth0|7',
    permissions: ['read', 'write', 'fly'],
    tenant: 'green',
  });
  const body = { userId: 'ada', owner: { environment: 'a' } };
  const started = await ask<{ session: { principal: string } }>(`${guarded.service.url}/v1/sessions`, {
    body,
    headers: by(token),
  });
  expect([started.status, started.body.session.principal]).toEqual([201, 'auth0|7']);
  expect((await ask(`${guarded.service.url}/v1/current?userId=ada`, { headers: by(token) })).status).toBe(
    200,
  );
  const red = await ask(`${guarded.service.url}/v1/current?userId=ada`, { headers: by(keys.read ?? '') });
  expect(red.status).toBe(404);
  const audit = by(await issuer.token({ permissions: ['audit', 'admin'], tenant: undefined }));
  expect((await ask(`${guarded.service.url}/v1/feed?partition=0`, { headers: audit })).status).toBe(401);
  const inTenant = by(await issuer.token({ permissions: ['audit', 'read'] }));
  expect((await ask(`${guarded.service.url}/v1/feed?partition=0`, { headers: inTenant })).status).toBe(403);
});

test('tokens of a subject that were issued before it was revoked count no more', async () => {
  const token = await issuer.token({ sub: 'leaver' }, { from: -5, to: 600 });
  expect((await ask(current(), { headers: by(token) })).status).toBe(404);
  await guarded.keys.revokeSubject(issuer.url, 'leaver');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await ask(current(), { headers: by(token) })).status).not.toBe(404);
});

describe("the issuer's keys", () => {
  test.each(['away', 'huge', 'slow', 'no JSON'] as const)(
    'that are %s let nobody in whom they would have to, and keys count all the same',
    async (how) => {
      const broken = await startIssuer(how);
      const { url } = await startService({
        databaseUrl: guarded.databaseUrl,
        env: { LEDGER_ACCESS: 'required', ...broken.env },
      });
      const address = `${url}/v1/current?userId=nobody`;
      const { status, headers } = await ask(address, { headers: by(await broken.token({})) });
      expect([status, headers.get('retry-after')]).toEqual([503, '2']);
      expect((await ask(address, { headers: by(keys.read ?? '') })).status).toBe(404);
    },
  );
});

test('tokens that somebody forges by the hundred keep out no token from elsewhere', async () => {
  const forged = await Promise.all(Array.from({ length: 600 }, (_, at) => issuer.forged({ sub: `s${at}` })));
  const token = await issuer.token({ sub: 'from elsewhere' });
  const flood = forged.map((one) => ask(current(), { headers: by(one) }));
  await Promise.all(flood.slice(0, 300));
  expect(await statusFrom('127.0.0.2', current(), by(token))).toBe(404);
  const statuses = (await Promise.all(flood)).map(({ status }) => status);
  expect(statuses).toContain(429);
  expect(statuses.filter((status) => ![401, 429, 503].includes(status))).toEqual([]);
});
