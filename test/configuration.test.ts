import { createServer, type Server } from 'node:net';
import { environment, freshDatabase, spawnService } from './support/service.js';

/** Starts the service with these settings and gives its exit code and what it complained about. */
async function refusedWith(env: NodeJS.ProcessEnv) {
  const databaseUrl = await freshDatabase();
  const service = spawnService(environment({ databaseUrl, env }));
  const { code } = await service.exited;
  return { code, output: service.lines, complaint: service.errors };
}

test('every fault of the configuration is told at once, a line each', async () => {
  const { code, output, complaint } = await refusedWith({
    PORT: 'eighty',
    DATABASE_URL: 'mysql://ledger:secret@localhost',
    KAFKA_BROKERS: 'localhost',
    LEDGER_PARTITIONS: '0',
    LEDGER_ROLES: 'api,cook',
    LEDGER_MIGRATE: 'perhaps',
  });
  expect(code).toBe(1);
  expect(output).toEqual([]);
  expect(complaint).toHaveLength(6);
  expect(complaint.join('\n')).toContain('"mysql://ledger:…@localhost"');
  for (const name of ['PORT', 'DATABASE_URL', 'KAFKA_BROKERS', 'LEDGER_PARTITIONS', 'LEDGER_ROLES']) {
    expect(complaint.join('\n')).toMatch(new RegExp(`^${name}: .*, but it is "`, 'm'));
  }
});

test.each(['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.example.org'])(
  'without access control it does not listen on %s',
  async (HOST) => {
    const { code, complaint } = await refusedWith({ HOST });
    expect([code, complaint.length]).toEqual([1, 1]);
    expect(complaint[0]).toMatch(/^HOST: .*loopback only.*LEDGER_WITHOUT_ACCESS_CONTROL=listen-everywhere/);
  },
);

test('unless told so in so many words', async () => {
  const env = { HOST: '0.0.0.0', LEDGER_WITHOUT_ACCESS_CONTROL: 'listen-everywhere' };
  const service = spawnService(environment({ databaseUrl: await freshDatabase(), env }));
  await service.waitForLine(/^Ledger on http/);
  await service.kill();
});

const occupied: Server[] = [];
afterAll(() => {
  for (const server of occupied) server.close();
});

test('a port in use is named in one line', async () => {
  const { port } = await occupiedPort();
  const { code, complaint } = await refusedWith({ PORT: String(port) });
  expect(code).toBe(1);
  expect(complaint).toHaveLength(1);
  expect(complaint[0]).toContain(String(port));
  expect(complaint[0]).toContain('PORT');
});

test('a Postgres that is not there is named in one line, without its password', async () => {
  const { server, port } = await occupiedPort();
  server.close();
  const DATABASE_URL = `postgres://ledger:secret@127.0.0.1:${port}/ledger`;
  const { code, complaint } = await refusedWith({ DATABASE_URL });
  expect(code).toBe(1);
  expect(complaint).toHaveLength(1);
  expect(complaint[0]).toContain(`127.0.0.1:${port}`);
  expect(complaint[0]).not.toContain('secret');
});

test('a database without a ledger is refused when it may not be made', async () => {
  const { code, complaint } = await refusedWith({ LEDGER_MIGRATE: 'never' });
  expect([code, complaint.length]).toEqual([1, 1]);
  expect(complaint[0]).not.toMatch(/^\s*at /);
});

async function occupiedPort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  occupied.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}
