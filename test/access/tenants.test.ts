import { type Operation, type OperationId, operations } from '#api/schemas';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { execute } from '../support/database.js';
import { RandomRequests, randomFrom, type Values } from '../support/random-requests.js';

/**
 * Two tenants with the same users, projects, handles and idempotency keys. Each asks for all that there is, at random and
 * out of the operations themselves, with the other's session ids, jobs, keys, positions and cursors: it never sees what the
 * other wrote, and changes nothing of it.
 */

const CALLS = Number(process.env.FUZZ_CALLS ?? 10_000);
const AT_ONCE = 16;
type Tenant = 'red' | 'blue';
const TENANTS = ['red', 'blue'] as const;
const other = (tenant: Tenant): Tenant => (tenant === 'red' ? 'blue' : 'red');
const users = ['ada', 'bob', 'eve', 'joe'];
const projects = ['default', 'captions'];
const ids = Object.entries<Operation>(operations) as [OperationId, Operation][];

let guarded: Guarded;
const secrets: Record<Tenant, string> = { red: '', blue: '' };
/** What the streams of all scopes have told each. */
const heard: Record<Tenant, string[]> = { red: [], blue: [] };
const over = new AbortController();
afterAll(() => over.abort());
/** What answers have told, whoever's it was: anybody may have come by it. */
const told = {
  ...{ sessionId: [] as string[], jobId: [] as string[], keyId: [] as string[] },
  ...{ cursors: [] as string[], positions: [] as string[], eventIds: [] as string[] },
};
const current: Record<Tenant, { sessionId: string; epoch: number }[]> = { red: [], blue: [] };
const sessionsOf: Record<Tenant, Set<string>> = { red: new Set(), blue: new Set() };
let texts = 0;
/** How many answers were looked through. */
let calls = 0;
/** What was sent, and must not be told to the other. */
const sentCanaries = new Set<string>();
const canary = (tenant: Tenant) => {
  texts += 1;
  return `canary-${tenant}-${texts}`;
};
/** What each said that its consumers hold, which is told again. */
const reported: Record<Tenant, string> = { red: '', blue: '' };

beforeAll(async () => {
  guarded = await startGuarded();
  for (const tenant of TENANTS) {
    const permissions = ['read', 'write', 'operate', 'admin'] as const;
    const made = await guarded.key({
      tenant,
      permissions,
      principal: `canary-${tenant}`,
      name: canary(tenant),
    });
    secrets[tenant] = made.secret;
    told.keyId.push(made.id);
  }
  for (const tenant of TENANTS) {
    for (const userId of users) {
      for (const projectId of projects) {
        const query = `userId=${userId}&projectId=${projectId}`;
        await follow(tenant, `/v1/stream?${query}`);
        await call(tenant, 'POST', '/v1/sessions', {
          ...{ userId, projectId, owner: { environment: 'cloud', instance: canary(tenant) } },
          ...{ attributes: { note: canary(tenant) }, lease: { seconds: 86_400, renewOn: 'use' } },
          handles: [{ kind: 'agent', value: `${userId} ${projectId}`, binds: 'scope' }],
        });
      }
    }
  }
});

/** Listens to a stream until all is over. */
async function follow(tenant: Tenant, path: string): Promise<void> {
  const init = { headers: by(secrets[tenant]), signal: over.signal };
  const { body } = await fetch(`${guarded.service.url}${path}`, init);
  const at = heard[tenant].push('') - 1;
  const read = async () => {
    for await (const chunk of body ?? []) heard[tenant][at] += Buffer.from(chunk as Uint8Array).toString();
  };
  read().catch(() => {}); // it was ended by us
}

/** What stands in requests: the names of both, and texts of the one that asks. */
function valuesFor(tenant: Tenant, random: () => number): Values {
  const owner = () => ({ environment: 'cloud', instance: canary(tenant) });
  // Every other one for what is current, so that it may be obeyed.
  const pairs = current[tenant];
  const pair = random() < 0.5 ? pairs[Math.floor(random() * pairs.length)] : undefined;
  return {
    ...(pair && { sessionId: [pair.sessionId], epoch: [pair.epoch] }),
    userId: users,
    projectId: projects,
    ...(!pair && { sessionId: told.sessionId, epoch: [0, 1, 2, 3, 5, 8] }),
    jobId: told.jobId,
    keyId: told.keyId,
    tenant: ['red', 'blue'],
    expectedEpoch: [0, 1, 2, 3],
    kind: ['agent', 'transport'],
    value: users.flatMap((user) => projects.map((project) => `${user} ${project}`)),
    owner: [owner(), { environment: 'cloud' }],
    origin: [owner(), { environment: 'cloud' }],
    to: [{ environment: 'cloud' }],
    environments: [['cloud']],
    select: [{ userId: 'eve' }, { environment: 'cloud' }],
    attributes: [{ note: canary(tenant) }],
    lease: [{ seconds: 86_400 }, { seconds: 86_400, renewOn: 'use' }],
    drainSeconds: [86_400],
    reservedSeconds: [86_400],
    expiresInSeconds: [86_400],
    overlapSeconds: [86_400],
    endReleasedAfterSeconds: [86_400],
    currency: ['EUR'],
    amount: ['0.1'],
    consumer: ['app'],
    partition: [0, 5, 15],
    wait: [1],
    after: [...told.cursors, 0, 1, 5],
    next: told.cursors,
    lastEventId: told.eventIds,
    atLeast: told.positions,
    asOf: [...told.positions, new Date().toISOString()],
    code: ['stale-epoch'],
  };
}

async function call(tenant: Tenant, method: string, path: string, body?: unknown): Promise<number> {
  const sent = body === undefined ? '' : JSON.stringify(body);
  calls += 1;
  for (const [one] of `${path} ${sent}`.matchAll(/canary-(?:red|blue)-\d+/g)) sentCanaries.add(one);
  if (path === '/v1/reports') reported[tenant] += sent;
  const gone = new AbortController();
  const response = await fetch(`${guarded.service.url}${path}`, {
    method,
    signal: gone.signal,
    headers: {
      ...by(secrets[tenant]),
      ...(body !== undefined && {
        'content-type': 'application/json',
        'idempotency-key': `key ${texts % 500}`,
      }),
      ...(texts % 5 === 0 && { 'last-event-id': told.eventIds.at(-1) ?? '' }),
    },
    ...(body !== undefined && { body: sent }),
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const text = isStream ? await firstOf(response) : await response.text();
  gone.abort();
  const headers = JSON.stringify([...response.headers]);
  check(tenant, `${method} ${path} ${sent}`, text + headers);
  learn(tenant, text, response.headers);
  return response.status;
}

/** What a stream says in its first moments. */
async function firstOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return Buffer.from(first?.value ?? []).toString();
}

/** What the request said itself may be in its answer: the id that it named, and no more. */
function check(tenant: Tenant, request: string, answer: string): void {
  const foreign = other(tenant);
  const leaks: string[] = answer.match(new RegExp(`canary-${foreign}[-\\w]*|"${foreign}/[^"]*"`, 'g')) ?? [];
  for (const [id] of answer.matchAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g)) {
    const isItsOwn = request.includes(id) || reported[tenant].includes(id);
    if (sessionsOf[foreign].has(id) && !isItsOwn) leaks.push(id);
  }
  if (leaks.length > 0) throw new Error(`${tenant} sees ${leaks.join(', ')} of ${foreign} by ${request}`);
}

function learn(tenant: Tenant, text: string, headers: Headers): void {
  const keep = (list: string[], one: string | undefined) => {
    if (one !== undefined && !list.includes(one)) list.push(one);
    if (list.length > 200) list.splice(Math.floor(list.length / 2), 1);
  };
  for (const [, id = ''] of text.matchAll(/"session":\{"sessionId":"([^"]+)"/g)) {
    if (!sessionsOf[other(tenant)].has(id)) sessionsOf[tenant].add(id);
    keep(told.sessionId, id);
  }
  for (const [, sessionId = '', epoch] of text.matchAll(
    /"(?:session|current)":\{"sessionId":"([^"]+)","scope":[^}]+\},"status":"(?:active|starting|released)","epoch":(\d+)/g,
  )) {
    current[tenant].push({ sessionId, epoch: Number(epoch) });
    if (current[tenant].length > 8) current[tenant].shift();
  }
  keep(told.jobId, /"jobId":"([^"]+)"/.exec(text)?.[1]);
  keep(told.keyId, /"keyId":"([^"]+)"/.exec(text)?.[1]);
  keep(told.cursors, /"next":"([^"]+)"/.exec(text)?.[1]);
  keep(told.positions, headers.get('ledger-position') ?? undefined);
  keep(told.eventIds, /^id: (.+)$/m.exec(text)?.[1]);
}

/** All that the ledger keeps of a tenant, leases and what is mutable included. */
async function keptOf(tenant: Tenant): Promise<unknown> {
  const scopes = `select scope_id from ledger.scopes where scope_key like '${tenant}/%'`;
  const asked = {
    events: `select partition, sequence, encode(bytes, 'hex') from ledger.events where scope_key like '${tenant}/%' order by 1, 2`,
    scopes: `select * from ledger.scopes where scope_key like '${tenant}/%' order by scope_key`,
    leases: `select l.* from ledger.leases l join ledger.sessions s using (partition, session_id) where s.scope_id in (${scopes}) order by l.session_id`,
    details: `select * from ledger.details where scope_id in (${scopes}) order by digest`,
    handles: `select * from ledger.handles where scope_id in (${scopes}) order by hash`,
    stops: `select * from ledger.ignored_stops where scope_id in (${scopes}) order by stop_id, why`,
    jobs: `select * from ledger.jobs where tenant = '${tenant}' order by id`,
    reports: `select * from ledger.reports where tenant = '${tenant}' order by consumer, scope_id`,
    keys: `select id, hash, expires_at, revoked_at from ledger.keys where tenant = '${tenant}' order by id`,
  };
  const kept: Record<string, unknown> = {};
  for (const [name, sql] of Object.entries(asked))
    kept[name] = (await execute(guarded.databaseUrl, sql)).rows;
  return JSON.parse(JSON.stringify(kept));
}

test.each([
  ['red', 1],
  ['blue', 2],
] as const)(
  'whatever %s asks for, it sees and changes nothing of the other tenant',
  async (tenant, seed) => {
    const random = randomFrom(seed);
    const obeyed = new Map<OperationId, number>();
    const before = await keptOf(other(tenant));
    let left = CALLS / 2;
    const work = async () => {
      while (left > 0) {
        const [id, operation] = ids[Math.floor(random() * ids.length)]!;
        const requests = new RandomRequests(random, valuesFor(tenant, random), () => canary(tenant));
        const { path, body } = requests.of(operation);
        if (/^(startBulk|eraseDetails)$/.test(id) && random() < 0.8) continue;
        // Who asks for its own credential's end is heard no more.
        if (/^(revokeKey|rotateKey)$/.test(id) && told.keyId.slice(0, 2).some((own) => path.includes(own)))
          continue;
        left -= 1;
        const status = await call(tenant, operation.method, path, body);
        if (status < 300) obeyed.set(id, (obeyed.get(id) ?? 0) + 1);
        expect(status).not.toBe(500);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(await keptOf(other(tenant))).toEqual(before);
    // It was no talk to a wall: nearly all that a tenant may ask for was answered, and much of it.
    const asked = ids.filter(([, { needs }]) => needs === 'nothing' || needs.some((one) => one !== 'audit'));
    expect(asked.filter(([id]) => !obeyed.has(id)).map(([id]) => id)).toEqual([]);
    expect([...obeyed.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(CALLS / 10);
  },
  300_000,
);

test('the streams of all their scopes have told each tenant its own events alone', async () => {
  // Each was told its first session when nothing else went on, and what came last is told in a moment.
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const tenant of TENANTS) {
    expect(heard[tenant]).toHaveLength(users.length * projects.length);
    for (const text of heard[tenant]) {
      expect(text).toContain(`canary-${tenant}`);
      check(tenant, '', text);
    }
  }
  const sessions = sessionsOf.red.size + sessionsOf.blue.size;
  console.info(
    `${calls} calls: none told any of ${sentCanaries.size} canaries and ${sessions} session ids to the other tenant`,
  );
  expect(calls).toBeGreaterThanOrEqual(CALLS);
});
