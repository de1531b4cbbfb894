import { ask, type Reply } from '../support/http.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

// More commands than can be obeyed, at the size of a test; test/load/too-many-connections.load.test.ts measures it.

let proxy: TcpProxy;
let service: Service;
beforeAll(async () => {
  const url = await freshDatabase();
  const { hostname: host, port } = new URL(url);
  proxy = await startProxy({ target: { host, port: Number(port) } });
  service = await startService({ databaseUrl: proxy.reroute(url) });
});
afterEach(() => proxy.heal());
afterAll(() => proxy.close());

const { until } = within(30_000);

const start = () =>
  ask<CommandBody & { type?: string }>(`${service.url}/v1/sessions`, {
    body: { userId: newUser(), owner: cloudDev },
  });
const shed = async () =>
  Number(
    /^ledger_requests_shed_total\{why="queue"\} (\d+)$/m.exec(
      (await ask(`${service.url}/metrics`)).text,
    )?.[1],
  );

/** Those that were answered that there are too many, so far. */
function refusalsOf(asked: Promise<Reply<{ type?: string }>>[]): Reply[] {
  const refused: Reply[] = [];
  for (const one of asked)
    void one.then((answer) => answer.body.type === '/problems/overloaded' && refused.push(answer));
  return refused;
}

// First: a service that has just been crowded takes fewer.
test('of a flood of lists those are refused that are too much, and no command that comes by itself', async () => {
  proxy.swallowReplies();
  const list = () =>
    ask<{ type?: string }>(`${service.url}/v1/commands`, {
      body: {
        commands: Array.from({ length: 100 }, () => ({
          operation: 'startSession',
          body: { userId: newUser(), owner: cloudDev },
        })),
      },
    });
  const lists = Array.from({ length: 50 }, list); // 5,000 commands in a number of requests that crowds nobody
  const refused = refusalsOf(lists);
  await until(() => refused.length >= 25);
  const alone = start();
  proxy.heal();
  await Promise.all(lists);
  expect(refused.length).toBeLessThanOrEqual(35);
  expect((await alone).status).toBe(201);
  for (const { status, headers } of refused) expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect((await start()).status).toBe(201);
});

test('of a crowd that nobody can serve what is too much is refused at once, with when to come back; health is answered', async () => {
  expect((await start()).status).toBe(201);
  proxy.swallowReplies(); // Postgres takes what it is sent, and says nothing
  const crowd = Array.from({ length: 1_300 }, start);
  // The others wait for Postgres; these are told, and not after the time of those who wait.
  const refused = refusalsOf(crowd);
  await until(() => refused.length >= 200);
  for (const { status, headers } of refused) expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect((await ask(`${service.url}/health/live`)).status).toBe(200);
  await until(async () => (await shed()) >= 200);
  proxy.heal();
  await Promise.all(crowd);
  expect((await start()).status).toBe(201);
});
