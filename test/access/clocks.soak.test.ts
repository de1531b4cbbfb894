import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { type Issuer, startIssuer } from '../support/access/issuer.js';
import { ask } from '../support/http.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import { within } from '../support/until.js';

/** Whether a credential counts goes by Postgres' clock alone, and only as long as Postgres has said so within a minute. */

const shifted = new URL('../support/access/shifted-clock.js', import.meta.url);
const MINUTES = 60_000;
const { until } = within(20_000);

let guarded: Guarded;
let issuer: Issuer;
const replicas: Record<string, Service> = {};
beforeAll(async () => {
  issuer = await startIssuer();
  guarded = await startGuarded({ env: issuer.env });
  for (const [name, offMs] of Object.entries({ behind: -5 * MINUTES, ahead: 5 * MINUTES })) {
    replicas[name] = await replica(guarded.databaseUrl, offMs);
  }
});

function replica(databaseUrl: string, offMs = 0): Promise<Service> {
  const env = { NODE_OPTIONS: `--import ${shifted.href}`, CLOCK_OFF_MS: String(offMs) };
  return startService({
    databaseUrl,
    env: { ...env, ...issuer.env, LEDGER_ACCESS: 'required', LEDGER_MIGRATE: 'never' },
  });
}

const statusAt = async ({ url }: Service, secret: string) =>
  (await ask(`${url}/v1/access`, { headers: by(secret) })).status;

describe.each(['behind', 'ahead'])('a replica whose clock is five minutes %s', (which) => {
  const statusOf = (secret: string) => statusAt(replicas[which]!, secret);

  test('lets a key in until it expires, and not longer', async () => {
    const { secret } = await guarded.key({ expiresInSeconds: 6 });
    await until(async () => (await statusOf(secret)) === 200);
    await until(async () => (await statusOf(secret)) === 401);
    const { secret: long } = await guarded.key({ expiresInSeconds: 240 });
    await until(async () => (await statusOf(long)) === 200);
  });

  test.each([
    ['is new', { from: 0, to: 600 }, 200],
    ['has been over for half a minute', { from: -600, to: -30 }, 200],
    ['has been over for two minutes', { from: -600, to: -120 }, 401],
    ['is from half a minute ahead', { from: 30, to: 600 }, 200],
    ['is from two minutes ahead', { from: 120, to: 600 }, 401],
    ['was made by an issuer five minutes behind, for a minute', { from: -300, to: -240 }, 401],
    ['was made by an issuer five minutes ahead', { from: 300, to: 900 }, 401],
    ['lasts an hour, by an issuer half a minute ahead', { from: 30, to: 3_630 }, 200],
    ['lasts over an hour', { from: 0, to: 3_720 }, 401],
  ] as const)('takes a token that %s as any other replica does', async (_, time, expected) => {
    const token = await issuer.token({}, time);
    expect([await statusOf(token), await statusAt(guarded.service, token)]).toEqual([expected, expected]);
  });

  test('makes another secret for a key that goes on as long as the first, and no longer', async () => {
    const { id, secret: first } = await guarded.key({ expiresInSeconds: 200 });
    await until(async () => (await statusOf(first)) === 200);
    const { status, body } = await ask<{ key: { expiresAt: string } }>(
      `${replicas[which]!.url}/v1/keys/${id}/rotate`,
      { body: {}, headers: by(guarded.admin) },
    );
    expect(status).toBe(201);
    const left = Date.parse(body.key.expiresAt) - Date.now();
    expect(left).toBeGreaterThan(150_000);
    expect(left).toBeLessThan(202_000);
  });
});

test('a clock that has jumped, as after the machine slept, is right again in ten seconds', async () => {
  const one = await replica(guarded.databaseUrl);
  const { secret } = await guarded.key({ expiresInSeconds: 55 });
  await until(async () => (await statusAt(one, secret)) === 200);
  one.process.child.kill('SIGUSR2');
  await until(async () => (await statusAt(one, secret)) === 401);
  await until(async () => (await statusAt(one, secret)) === 200);
});

describe('Postgres is away', () => {
  let proxy: TcpProxy;
  let cutOff: Service;
  beforeAll(async () => {
    proxy = await startProxy({
      target: { host: '127.0.0.1', port: Number(new URL(guarded.databaseUrl).port) },
    });
    cutOff = await replica(proxy.reroute(guarded.databaseUrl));
  });
  afterAll(() => proxy.close());

  test('what is known counts for a minute; then nobody is let in, and what is open ends, until it is back', async () => {
    const { secret } = await guarded.key({});
    const { secret: other } = await guarded.key({ tenant: '', ledgerWide: true, permissions: ['audit'] });
    const token = await issuer.token({ permissions: ['read'] });
    for (const one of [secret, other, token]) await until(async () => (await statusAt(cutOff, one)) === 200);
    const { ended } = await streamOf(cutOff, secret);

    proxy.cut();
    for (const one of [secret, other, token]) expect(await statusAt(cutOff, one)).toBe(200);
    // What was not known before: a key is found by nobody, a token needs its issuer alone.
    const { secret: late } = await guarded.keys
      .create({ ...order, name: 'late' }, 'test')
      .then((made) => ('madeBefore' in made ? { secret: '' } : made));
    expect(await statusAt(cutOff, late)).toBe(401);
    expect(await statusAt(cutOff, await issuer.token({ sub: 'late' }))).toBe(200);

    cutOff.process.child.kill('SIGUSR2');
    await until(async () => (await statusAt(cutOff, secret)) === 503);
    for (const one of [secret, other, token, late, 'what is no key']) {
      const { status, body, headers } = await ask(`${cutOff.url}/v1/access`, { headers: by(one) });
      expect([status, body.type]).toEqual([503, '/problems/unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await ask(`${cutOff.url}/health/live`)).status).toBe(200);
    await ended;

    proxy.heal();
    await until(async () => (await statusAt(cutOff, secret)) === 200);
    await until(async () => (await statusAt(cutOff, late)) === 200);
  });

  test('a key that was revoked meanwhile counts no more as soon as it is back', async () => {
    const { secret, id } = await guarded.key({});
    await until(async () => (await statusAt(cutOff, secret)) === 200);
    proxy.cut();
    await guarded.revoke(id);
    expect(await statusAt(cutOff, secret)).toBe(200);
    proxy.heal();
    await until(async () => (await statusAt(cutOff, secret)) === 401);
  });
});

const order = {
  ...{ tenant: 'red', ledgerWide: false, principal: 'worker' },
  permissions: ['read'] as const,
};

/** Resolves once the stream is open; what it resolves to, once that has ended. */
async function streamOf({ url }: Service, secret: string): Promise<{ ended: Promise<void> }> {
  const { body, status } = await fetch(`${url}/v1/stream?userId=ada`, { headers: by(secret) });
  expect(status).toBe(200);
  const read = async () => {
    for await (const _ of body ?? []);
  };
  return { ended: read().catch(() => {}) }; // cut is ended, too
}
