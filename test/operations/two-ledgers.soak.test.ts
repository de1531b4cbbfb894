import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { migrate, roleOf } from '#log';
import { migrations } from '../../libs/log/migrate.js';
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

const installed: Installed[] = [];
afterAll(async () => {
  for (const { database } of installed) await execute(server, `drop database ${database} with (force)`);
});

/** Runs the statements of the page under names that nobody else has. */
async function prepare(): Promise<Installed> {
  const name = `two_${randomBytes(4).toString('hex')}`;
  const [, block = ''] =
    /\n( {4}create role ledger_owner[\s\S]*?)\n\n/.exec(await readFile(page, 'utf8')) ?? [];
  const named = block
    .replaceAll('ledger_owner', `${name}_owner`)
    .replaceAll('ledger_service', `${name}_service`)
    .replaceAll(/database ledger\b/g, `database ${name}`)
    .replaceAll('…', 'secret');
  for (const one of named.split(';')) if (one.trim()) await execute(server, one);
  const as = (login: string) => {
    const url = new URL(server);
    [url.username, url.password, url.pathname] = [`${name}_${login}`, 'secret', `/${name}`];
    return url.href;
  };
  const made = { owner: as('owner'), service: as('service'), database: name };
  installed.push(made);
  return made;
}

async function install(): Promise<Installed> {
  const made = await prepare();
  await migrate({ url: made.owner, partitions: 2, serviceLogin: `${made.database}_service` });
  return made;
}

/** As a version before the roles left it: its service has the role that all ledgers of the server share. */
async function installFormer(): Promise<Installed> {
  const made = await prepare();
  await execute(made.owner, 'create schema ledger');
  await execute(made.owner, 'create table ledger.migrations (number int primary key, name text not null)');
  for (const { number, name, text } of migrations().filter((one) => one.number < 21)) {
    await execute(made.owner, text);
    await execute(made.owner, `insert into ledger.migrations values (${number}, '${name}')`);
  }
  await execute(server, `grant session_ledger, session_ledger_archivist to ${made.database}_service`);
  return made;
}

async function serves({ service: databaseUrl }: Installed): Promise<void> {
  const service = await startService({ databaseUrl, env: { LEDGER_MIGRATE: 'never' } });
  const body = { userId: newUser(), owner: cloudDev };
  expect((await ask(`${service.url}/v1/sessions`, { body })).status).toBe(201);
  await service.stop();
}

/** What the logins of one are told in the database of another. */
async function triedBy(mine: Installed, other: Installed): Promise<string[]> {
  const tried: string[] = [];
  const role = await roleOf({ url: other.owner }, 'service');
  for (const login of [mine.service, mine.owner]) {
    const there = new URL(login);
    there.pathname = `/${other.database}`;
    for (const statement of [
      'select bytes from ledger.events',
      'set role session_ledger; select bytes from ledger.events',
      `set role ${role}`,
      `grant ${role} to current_user`,
    ]) {
      tried.push(
        await execute(there.href, statement).then(
          () => `${statement}: done`,
          ({ code }) => code,
        ),
      );
    }
  }
  return tried;
}

const refused = Array.from({ length: 8 }, () => '42501');

test('the second one is installed like the first, both serve, and neither enters the other', async () => {
  const [first, second] = [await install(), await install()];
  for (const one of [first, second]) {
    await serves(one);
    await expect(execute(one.service, 'delete from ledger.events')).rejects.toMatchObject({ code: '42501' });
  }
  expect(await triedBy(first, second)).toEqual(refused);
  expect(await triedBy(second, first)).toEqual(refused);
  // Nor when everybody may connect: the roles alone keep them apart.
  for (const { database } of [first, second])
    await execute(server, `grant connect on database ${database} to public`);
  expect(await triedBy(first, second)).toEqual(refused);
  expect(await triedBy(second, first)).toEqual(refused);
});

test('a ledger whose service had the shared role goes on with its own, and the shared one has no right left', async () => {
  const [former, neighbour] = [await installFormer(), await installFormer()];
  for (const one of [former, neighbour]) {
    await migrate({ url: one.owner, partitions: 2 });
    await serves(one);
  }
  // Each login still has the shared role.
  for (const { database } of [former, neighbour])
    await execute(server, `grant connect on database ${database} to public`);
  expect(await triedBy(former, neighbour)).toEqual(refused);
  expect(await triedBy(neighbour, former)).toEqual(refused);
  expect(await migrate({ url: former.owner, partitions: 2 })).toEqual([]);
});

test('where everybody may connect, no login of the shared role is let in unless it is named', async () => {
  const former = await installFormer();
  await execute(server, `revoke connect on database ${former.database} from ${former.database}_service`);
  await execute(server, `grant connect on database ${former.database} to public`);
  await migrate({ url: former.owner, partitions: 2 });
  await expect(serves(former)).rejects.toThrow();
  await migrate({ url: former.owner, partitions: 2, serviceLogin: `${former.database}_service` });
  await serves(former);
});
