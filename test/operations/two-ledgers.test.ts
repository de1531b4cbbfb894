import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { migrate } from '#log';
import { execute } from '../support/database.js';
import { ask } from '../support/http.js';
import { startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';

// Two ledgers on one server, each installed as docs/running.md says, with logins of its own.
const server = process.env.TEST_DATABASE_URL ?? '';
const page = new URL('../../docs/running.md', import.meta.url);

interface Installed {
  owner: string;
  service: string;
  database: string;
}

/** Runs the statements of the page under names that nobody else has, and migrates between them. */
async function install(): Promise<Installed> {
  const name = `two_${randomBytes(4).toString('hex')}`;
  const [, block = ''] =
    /\n( {4}create role ledger_owner[\s\S]*?)\n\n/.exec(await readFile(page, 'utf8')) ?? [];
  const named = block
    .replaceAll('ledger_owner', `${name}_owner`)
    .replaceAll('ledger_service', `${name}_service`)
    .replaceAll(/database ledger\b/g, `database ${name}`)
    .replaceAll('…', 'secret');
  const [before = '', after = ''] = named.split(/ *-- after the migration.*/);
  const run = async (text: string) => {
    for (const one of text.replaceAll(/--.*/g, '').split(';')) if (one.trim()) await execute(server, one);
  };
  const as = (login: string) => {
    const url = new URL(server);
    [url.username, url.password, url.pathname] = [`${name}_${login}`, 'secret', `/${name}`];
    return url.href;
  };
  await run(before);
  await migrate({ url: as('owner'), partitions: 2 });
  await run(after);
  return { owner: as('owner'), service: as('service'), database: name };
}

const installed: Installed[] = [];
afterAll(async () => {
  for (const { database } of installed) await execute(server, `drop database ${database} with (force)`);
});

test('the second one is installed like the first, both serve, and neither enters the other', async () => {
  for (let n = 0; n < 2; n += 1) installed.push(await install());
  const [first, second] = installed as [Installed, Installed];
  for (const { service: databaseUrl } of installed) {
    const service = await startService({ databaseUrl, env: { LEDGER_MIGRATE: 'never' } });
    const body = { userId: newUser(), owner: cloudDev };
    expect((await ask(`${service.url}/v1/sessions`, { body })).status).toBe(201);
    await service.stop();
  }
  for (const [mine, other] of [
    [first, second],
    [second, first],
  ] as const) {
    for (const login of [mine.service, mine.owner]) {
      const there = login.replace(`/${mine.database}`, `/${other.database}`);
      await expect(execute(there, 'select bytes from ledger.events')).rejects.toMatchObject({
        code: '42501',
      });
    }
    await expect(execute(mine.service, 'delete from ledger.events')).rejects.toMatchObject({ code: '42501' });
  }
});
