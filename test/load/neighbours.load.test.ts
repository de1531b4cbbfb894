import { rest } from '#waiting';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { record } from './figures.js';
import { callersOf, isObeyed, median, type Order, quantile, starts, timesOf, usersOf } from './load.js';
import { runAs } from './running.js';

/**
 * What one tenant, blue, takes from another one, red, whatever it floods a ledger with. `LOAD_QUICK=yes`: two short turns
 * each, and a fifth of the streams.
 */

const isQuick = process.env.LOAD_QUICK === 'yes';
const [TURNS, TURN_MS, STREAMS] = isQuick ? [2, 2_000, 2_000] : [5, 4_000, 10_000];

let guarded: Guarded;
let red: ReturnType<typeof callersOf>;
/** What red sends: half of it reads of the sessions that the other half starts. */
let orders: Order[];
let blueKey: string;

/** Starts a ledger, and makes a key for each of the two. */
async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
  guarded = await startGuarded({ env });
  const { secret } = await guarded.key({ tenant: 'red' });
  // With audit, so that it may ask for snapshots, too.
  const permissions = ['read', 'write', 'audit'] as const;
  blueKey = (await guarded.key({ tenant: 'blue', ledgerWide: true, permissions })).secret;
  red = callersOf(guarded.service);
  const users = usersOf(200);
  const common = { connections: 4, rate: 200, ms: TURN_MS, rampMs: 500, headers: by(secret) };
  orders = [
    { ...common, path: starts.path, groups: [{ body: starts.body, users }] },
    { ...common, path: `/v1/current?userId=${users[0]}`, method: 'GET', groups: [{}] },
  ];
  await ask(`${guarded.service.url}${starts.path}`, {
    body: starts.body.replace('USER', users[0]!),
    headers: by(secret),
  });
}

/** How long red's answers took in a turn; whatever was no answer counts as failed. */
async function turn(): Promise<{ times: number[]; failed: number }> {
  const told = [];
  for (const order of orders) told.push(...(await red.call(order)));
  const times = timesOf(told, isObeyed);
  const refused = timesOf(told, (status) => !isObeyed(status)).length;
  return { times, failed: refused + told.reduce((sum, { broken }) => sum + broken, 0) };
}

/** Begins a flood; resolves with how to end it, once it is at its height. */
type Flood = () => Promise<() => Promise<unknown>>;

/** Blue's callers, again and again until they are ended. */
const called =
  (order: Pick<Order, 'path' | 'groups' | 'connections'>): Flood =>
  async () => {
    const blue = callersOf(guarded.service);
    const over = blue.call({ ...order, ms: 4 * orders.length * TURN_MS, headers: by(blueKey) });
    await new Promise((resolve) => setTimeout(resolve, 500));
    return async () => {
      over.catch(() => {}); // its process is ended in the middle
      blue.end();
    };
  };

const opened =
  (path: string, count: number): Flood =>
  async () => {
    const silent = runAs(blueKey, 'never-read', guarded.service.url, path, count);
    await silent.waitForLine(/asked/, 60_000);
    await rest(STREAMS / 2); // the last ones are being opened, in milliseconds
    return () => silent.kill();
  };

const list = JSON.stringify(
  Array.from({ length: 1_000 }, (_, one) => ({
    sessionId: `01920000-0000-7${(one % 16).toString(16).padStart(3, '0')}-8000-${String(one).padStart(12, '0')}`,
    epoch: 1,
  })),
);

const floods: [string, Flood][] = [
  [
    '16 lists of 1,000 renewals at once',
    called({ path: '/v1/leases/renew', groups: [{ body: list }], connections: 16 }),
  ],
  ['10 snapshots that it never reads', opened('/v1/snapshot', 10)],
  [`${STREAMS.toLocaleString('en')} streams`, opened('/v1/stream?userId=ada', STREAMS)],
];
const callers = called({
  ...starts,
  groups: [{ body: starts.body, users: usersOf(1_000) }],
  connections: 256,
});

describe('a tenant without a limit', () => {
  beforeAll(() => start());
  afterAll(() => guarded.service.stop());

  test.each(floods)(
    'leaves another one within twice its own with %s',
    async (load, flood) => {
      const { ratio, refused } = await measured(load, flood);
      expect(refused).toBe(0);
      expect(ratio).toBeLessThan(2);
    },
    600_000,
  );

  test('with 256 callers that start sessions it is told what that takes', async () => {
    await measured('256 callers that start sessions', callers);
  }, 600_000);
});

describe('a tenant that may send 400 commands a second', () => {
  beforeAll(() => start({ LEDGER_TENANT_COMMANDS: '400' }));

  test('has none of another one refused with 256 callers that start sessions', async () => {
    const { refused } = await measured('256 callers that start sessions, 400 a second taken', callers);
    expect(refused).toBe(0);
  }, 600_000);
});

/** Red's figures in turns, with and without a flood; records them. */
async function measured(load: string, flood: Flood): Promise<{ ratio: number; refused: number }> {
  const [before, under]: [number[], number[]] = [[], []];
  const failed = { before: 0, under: 0 };
  await turn();
  for (let round = 0; round < TURNS; round += 1) {
    const alone = await turn();
    before.push(...alone.times);
    failed.before += alone.failed;
    const end = await flood();
    const beside = await turn();
    const ready = (await ask(`${guarded.service.url}/health/ready`)).status;
    await end();
    under.push(...beside.times);
    failed.under += beside.failed;
    expect(ready).toBe(200);
  }
  const of = { load: `another tenant: ${load}` };
  const [p99, p99Under] = [quantile(before, 0.99), quantile(under, 0.99)];
  record({ ...of, measure: 'p50, ms', before: median(before), under: median(under), bound: '' });
  record({ ...of, measure: 'p99, ms', before: p99, under: p99Under, bound: '≤ 2×' });
  record({ ...of, measure: 'refused', before: failed.before, under: failed.under, bound: '0' });
  return { ratio: p99Under / p99, refused: failed.under };
}
