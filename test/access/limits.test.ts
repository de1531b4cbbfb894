import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { newUser } from '../support/sessions.js';

/** What a key and a tenant may ask for in a second, in items, and hold open at once. */

const PER_TENANT = 40;
let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({ env: { LEDGER_TENANT_COMMANDS: String(PER_TENANT) } });
});

const uuid = (last: number) => `01920000-0000-7003-8000-${String(last).padStart(12, '0')}`;
const renewals = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ sessionId: uuid(index), epoch: 1 }));
const renews = (secret: string, count: number) =>
  ask(`${guarded.service.url}/v1/leases/renew`, { body: renewals(count), headers: by(secret) });

test('a list counts as many items as it has, and who has none left is told when there are again', async () => {
  const { secret } = await guarded.key({ tenant: 'blue' });
  const { secret: other } = await guarded.key({ tenant: 'blue' });
  const { secret: red } = await guarded.key({ tenant: 'red' });
  expect((await renews(secret, PER_TENANT)).status).toBe(200);
  const begun = performance.now();
  // Another key of the tenant is limited with it; another tenant is not, and reads are counted by themselves.
  const [again, others, reds, read] = await Promise.all([
    renews(secret, PER_TENANT),
    renews(other, PER_TENANT),
    renews(red, PER_TENANT),
    ask(`${guarded.service.url}/v1/current?userId=a`, { headers: by(other) }),
  ]);
  // Whoever asks again at once would take the time of the others.
  expect(performance.now() - begun).toBeGreaterThan(240);
  const { status, headers, body } = again;
  expect([status, body.type, headers.get('retry-after')]).toEqual([429, '/problems/rate-limited', '1']);
  expect(headers.get('ratelimit-policy')).toBe(`"tenant-commands";q=${PER_TENANT};w=1`);
  expect(headers.get('ratelimit')).toBe('"tenant-commands";r=0;t=1');
  expect([others.status, reds.status, read.status]).toEqual([429, 200, 404]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect((await renews(secret, PER_TENANT)).status).toBe(200);
});

test('a list that is larger than a second has waits for a full second, and is then taken', async () => {
  const { secret } = await guarded.key({ tenant: 'green', limits: { commands: 5, reads: 2 } });
  expect((await renews(secret, 30)).status).toBe(200);
  expect((await renews(secret, 1)).status).toBe(429); // it has to be earned first
  const read = () => ask(`${guarded.service.url}/v1/current?userId=a`, { headers: by(secret) });
  const statuses = (await Promise.all(Array.from({ length: 10 }, read))).map((answer) => answer.status);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(4);
});

test('a tenant holds 500 streams open, and no more; what another tenant opens is its own', async () => {
  const { secret } = await guarded.key({ tenant: 'blue' });
  const { secret: red } = await guarded.key({ tenant: 'red' });
  const gone = new AbortController();
  const open = (by_: string) =>
    fetch(`${guarded.service.url}/v1/stream?userId=${newUser()}`, { headers: by(by_), signal: gone.signal });
  // Kept: an answer that nobody can read any more is closed.
  const held: Response[] = [];
  for (let round = 0; round < 10; round += 1) {
    held.push(...(await Promise.all(Array.from({ length: 50 }, () => open(secret)))));
  }
  expect(held.filter(({ ok }) => !ok)).toEqual([]);
  expect([(await open(secret)).status, (await open(red)).status]).toEqual([429, 200]);
  expect(held.filter(({ bodyUsed }) => bodyUsed)).toEqual([]);
  gone.abort();
});
