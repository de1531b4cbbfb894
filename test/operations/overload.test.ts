import { ask } from '../support/http.js';
import { startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(30_000);

// More commands than can be obeyed, at the size of a test; test/load/too-many-connections.load.test.ts measures it.

let proxy: TcpProxy;
let service: Service;
beforeAll(async () => {
  const url = await freshDatabase();
  const { hostname: host, port } = new URL(url);
  proxy = await startProxy({ target: { host, port: Number(port) } });
  service = await startService({ databaseUrl: proxy.reroute(url) });
});
afterAll(() => proxy.close());

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

test('of a crowd that nobody can serve what is too much is refused at once, with when to come back; health is answered', async () => {
  expect((await start()).status).toBe(201);
  proxy.swallowReplies(); // Postgres takes what it is sent, and says nothing
  const answered: Awaited<ReturnType<typeof start>>[] = [];
  const crowd = Array.from({ length: 1_300 }, () => start().then((one) => answered.push(one)));
  // The others wait for Postgres; these are told, and not after the time of those who wait.
  await until(() => answered.length >= 200);
  for (const { status, headers, body } of answered.slice(0, 200))
    expect([status, headers.get('retry-after'), body.type]).toEqual([503, '1', '/problems/overloaded']);
  expect((await ask(`${service.url}/health/live`)).status).toBe(200);
  await until(async () => (await shed()) >= 200);
  proxy.heal();
  await Promise.all(crowd);
  expect((await start()).status).toBe(201);
});
