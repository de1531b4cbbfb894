import { fileURLToPath } from 'node:url';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { execute } from '../support/database.js';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import { startProxy } from '../support/proxy.js';
import { type Service, startService } from '../support/service.js';
import { newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(10_000);

/** A key that is revoked counts no more: on every replica, for what is open, and within a second. */

let guarded: Guarded;
let second: Service;
beforeAll(async () => {
  guarded = await startGuarded();
  second = await startService({ databaseUrl: guarded.databaseUrl, env: { LEDGER_ACCESS: 'required' } });
});

const owner = { environment: 'cloud' };
const current = (url: string, userId = 'nobody') => `${url}/v1/current?userId=${userId}`;

/** Opens what a key holds open at a service; each resolves to how it ended. */
function opened(url: string, secret: string, admin: string, userId: string) {
  const headers = by(secret);
  const readToEnd = async (response: Response) => {
    await response.text().catch(() => {}); // cut is ended, too
    return 'ended';
  };
  return [
    fetch(`${url}/v1/stream?userId=${userId}`, { headers }).then(readToEnd),
    fetch(`${url}/v1/feed/stream`, { headers: by(admin) }).then(readToEnd),
    ask(`${current(url, userId)}&wait=60&after=1`, { headers }).then(({ status }) => status),
  ];
}

test('streams and waits on both replicas end with it, and it is answered 401, within a second', async () => {
  const userId = newUser();
  const write = await guarded.key({});
  const { secret: auditor, id: auditorId } = await guarded.key({
    ...{ tenant: '', ledgerWide: true, permissions: ['audit'] },
  });
  const body = { userId, owner };
  await ask(`${guarded.service.url}/v1/sessions`, { body, headers: by(write.secret) });
  const urls = [guarded.service.url, second.url];
  const other = await guarded.key({});
  // The second replica hears of the keys a little later.
  for (const secret of [write.secret, auditor, other.secret])
    await until(async () => (await ask(current(second.url), { headers: by(secret) })).status !== 401);
  const open = urls.flatMap((url) => opened(url, write.secret, auditor, userId));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const others = urls.map((url) =>
    ask(`${current(url, userId)}&wait=2&after=1`, { headers: by(other.secret) }),
  );

  const revoked = [write.id, auditorId].map((id) =>
    ask(`${guarded.service.url}/v1/keys/${id}`, { method: 'DELETE', headers: by(guarded.admin) }),
  );
  expect((await Promise.all(revoked)).map(({ status }) => status)).toEqual([200, 200]);
  const at = performance.now();
  expect(await Promise.all(open)).toEqual(['ended', 'ended', 401, 'ended', 'ended', 401]);
  for (const url of urls) {
    expect((await ask(current(url), { headers: by(write.secret) })).status).toBe(401);
    expect((await ask(`${url}/v1/feed?partition=0`, { headers: by(auditor) })).status).toBe(401);
  }
  expect(performance.now() - at).toBeLessThan(1_000);
  // Somebody else's wait goes on.
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual([304, 304]);
});

test('a rotated key goes on beside the one that follows it, as the same principal, until the overlap is over', async () => {
  const { secret, id } = await guarded.key({ principal: 'rotated' });
  const rotated = await ask<{ secret: string; key: { principal: string } }>(
    `${guarded.service.url}/v1/keys/${id}/rotate`,
    { body: { overlapSeconds: 2 }, headers: by(guarded.admin) },
  );
  expect([rotated.status, rotated.body.key.principal]).toEqual([201, 'rotated']);
  for (const one of [secret, rotated.body.secret]) {
    expect((await ask(current(guarded.service.url), { headers: by(one) })).status).toBe(404);
  }
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect((await ask(current(second.url), { headers: by(secret) })).status).toBe(401);
  expect((await ask(current(second.url), { headers: by(rotated.body.secret) })).status).toBe(404);
});

test("a tenant's admin makes and ends its tenant's keys, and gives away no more than it holds", async () => {
  const admin = await guarded.key({ permissions: ['admin', 'read'], environments: ['cloud-a'] });
  const foreign = await guarded.key({ tenant: 'blue' });
  const asks = (body: object) =>
    ask<{ secret?: string }>(`${guarded.service.url}/v1/keys`, {
      body: { name: 'n', permissions: ['read'], ...body },
      headers: by(admin.secret),
    });
  expect((await asks({})).status).toBe(201);
  for (const more of [
    { tenant: 'blue' },
    { permissions: ['write'] },
    { environments: ['cloud-b'] },
    { ledgerWide: true },
  ]) {
    expect([more, (await asks(more)).status]).toEqual([more, 403]);
  }
  for (const [id, status] of [
    [foreign.id, 404],
    [admin.id, 200],
  ] as const) {
    const told = await ask(`${guarded.service.url}/v1/keys/${id}`, {
      method: 'DELETE',
      headers: by(admin.secret),
    });
    expect(told.status).toBe(status);
  }
});

test("a tenant's admin makes at most a thousand keys: it leaves room for other tenants'", async () => {
  const [admin, other] = await Promise.all(
    ['many', 'few'].map((tenant) => guarded.key({ tenant, permissions: ['admin', 'read'] })),
  );
  await execute(
    guarded.databaseUrl,
    `insert into ledger.keys (id, hash, ledger_wide, tenant, principal, permissions, name, made_by)
     select 'many' || lpad(n::text, 6, '0'), 'hash' || n, false, 'many', 'p', '{read}', 'n', 'test' from generate_series(1, 998) n`,
  );
  const makes = async (secret: string, more: object = {}) => {
    const body = { name: 'n', permissions: ['read'], ...more };
    const { status, body: told } = await ask(`${guarded.service.url}/v1/keys`, { body, headers: by(secret) });
    return told.type ?? status;
  };
  expect(await makes(admin!.secret)).toBe(201);
  expect(await makes(admin!.secret)).toBe('/problems/overloaded');
  expect(await makes(other!.secret)).toBe(201);
  expect(await makes(guarded.admin, { tenant: 'many' })).toBe(201);
});

test('a key that is bound to environments speaks for no other one', async () => {
  const { secret } = await guarded.key({ environments: ['cloud-a'] });
  const asks = (environment: string) =>
    ask<{ detail?: string; session?: { sessionId: string } }>(`${guarded.service.url}/v1/sessions`, {
      body: { userId: newUser(), owner: { environment } },
      headers: by(secret),
    });
  const { status, body } = await asks('cloud-b');
  expect([status, body.detail]).toEqual([403, expect.stringMatching(/^body\.owner\.environment .*cloud-a/)]);
  const { session } = (await asks('cloud-a')).body;
  const end = { epoch: 1, origin: { environment: 'cloud-b' }, reason: 'r' };
  const stop = await ask(`${guarded.service.url}/v1/sessions/${session?.sessionId}/end`, {
    body: end,
    headers: by(secret),
  });
  expect(stop.status).toBe(403);
});

test('while Postgres is away keys that are known count on: what needs it is 503, not 401', async () => {
  const { port } = new URL(guarded.databaseUrl);
  const proxy = await startProxy({ target: { host: '127.0.0.1', port: Number(port) } });
  const databaseUrl = proxy.reroute(guarded.databaseUrl);
  const { url } = await startService({
    databaseUrl,
    env: { LEDGER_ACCESS: 'required', LEDGER_MIGRATE: 'never' },
  });
  const { secret } = await guarded.key({});
  await new Promise((resolve) => setTimeout(resolve, 300));
  proxy.cut();
  const known = await ask(current(url), { headers: by(secret) });
  expect([known.status, known.body.type]).toEqual([503, '/problems/unavailable']);
  expect((await ask(current(url), { headers: by('unknown') })).status).toBe(401);
  expect((await ask(`${url}/health/live`)).status).toBe(200);
  expect((await ask(`${url}/health/ready`)).body).toEqual({ ready: false });
  await proxy.close();
});

test('the commands make, list, rotate and revoke keys, at the database and over HTTP, and show a secret once', async () => {
  const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
  const run = async (args: string[], env: NodeJS.ProcessEnv) => {
    const child = spawnNode(cli, { args: ['keys', ...args], env });
    const { code } = await child.exited;
    return { code, lines: child.lines, errors: child.errors };
  };
  const atPostgres = { DATABASE_URL: guarded.databaseUrl };
  const wide = ['--ledger-wide', '--permissions', 'admin,audit', '--name', 'operator'];
  const first = await run(['create', '--offline', ...wide], atPostgres);
  expect([first.code, first.lines]).toEqual([0, [expect.stringMatching(/^sll_[0-9A-Za-z]{59}$/)]]);
  const noted = async () => {
    const log = spawnNode(cli, { args: ['access-log', '--since', '1h', '--json'], env: atPostgres });
    await log.exited;
    return log.lines.map((line) => JSON.parse(line)).filter(({ credential }) => credential === 'database');
  };
  expect(await noted()).toMatchObject([
    { operation: 'POST /v1/keys', status: 201, principal: 'database-owner', address: 'offline' },
  ]);
  const overHttp = { LEDGER_URL: second.url, LEDGER_TOKEN: first.lines[0] ?? '' };
  const made = await run(['create', '--tenant', 'red', '--permissions', 'read', '--name', 'app'], overHttp);
  expect([made.code, made.lines]).toEqual([0, [expect.stringMatching(/^slt_/)]]);
  const id = made.lines[0]?.slice(4, 14) ?? '';
  const rotated = await run(['rotate', id, '--overlap', '1h'], overHttp);
  expect(rotated.code).toBe(0);
  const revoked = await run(['revoke', id], overHttp);
  expect([revoked.code, revoked.lines[0]]).toEqual([0, expect.stringContaining(`${id} (app) is revoked`)]);
  const shortLived = ['--tenant', 'red', '--permissions', 'read', '--name', 'short-lived', '--expires', '1h'];
  const brief = await run(['create', ...shortLived], overHttp);
  const followed = await run(['rotate', brief.lines[0]?.slice(4, 14) ?? ''], overHttp);
  const ends = / ends (\d{4}-\S+Z), as the old one was to/.exec(followed.errors.join('\n'))?.[1] ?? '';
  expect(Date.parse(ends)).toBeLessThanOrEqual(Date.now() + 3_600_000);
  const list = await run(['list', '--json'], overHttp);
  expect([list.code, list.errors]).toEqual([0, []]);
  const keys = list.lines.map((line) => JSON.parse(line));
  expect(keys.find(({ keyId }) => keyId === id)).toMatchObject({
    name: 'app',
    tenant: 'red',
    permissions: ['read'],
  });
  const text = [...list.lines, ...rotated.errors, ...revoked.lines].join('\n');
  for (const { lines } of [first, made, rotated]) expect(text).not.toContain(lines[0]);
  expect(
    (await run(['create', '--permissions', 'read', '--name', 'x'], { ...overHttp, LEDGER_TOKEN: '' })).code,
  ).toBe(1);
  expect((await run(['create', '--offline', '--permissions', 'fly', '--name', 'x'], atPostgres)).code).toBe(
    2,
  );
});

test('no secret of a key stands in what the service writes, or in its figures', async () => {
  const { text } = await ask(`${guarded.service.url}/metrics`, { headers: by(guarded.admin) });
  expect(text).toContain('ledger_queue_commands');
  const all = text + guarded.service.output() + second.output();
  expect(all).not.toMatch(/sl[tl]_[0-9A-Za-z]{49}/);
});
