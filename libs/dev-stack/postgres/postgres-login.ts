import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DevStackError } from '../errors.js';
import { runOnce } from '../run-once.js';
import type { Account } from './postgres-account.js';
import type { Binaries } from './postgres-binaries.js';

/** The service's login, and its database. */
export const LEDGER = 'ledger';
/** Whom initdb makes. Nobody can log in as it. */
export const SUPERUSER = 'ledger_superuser';

/** Recovery after a crash may come first. */
const WITHIN_MS = 120_000;

export interface LoginOptions {
  /** Holds the password, and `cluster`. */
  directory: string;
  cluster: string;
  binaries: Binaries;
  account: Account;
  /** Whether the login may do everything, which tests need to make databases. */
  superuser: boolean;
}

/**
 * The password of the login `ledger`, which owns the database and is no superuser. It is random, and in
 * `<directory>/password`, which our account alone may read. Where there is none yet, the cluster is new or of a version
 * whose login was a superuser with a known password: then the login is made, by the server program itself on data that
 * nobody else uses, so that no superuser ever needs a password. The file comes last: what a crash has left is done again.
 * @throws DevStackError with the last thing that Postgres said.
 */
export async function provideLogin(options: LoginOptions): Promise<string> {
  const file = join(options.directory, 'password');
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  if (known.trim()) return known.trim();
  const password = randomBytes(32).toString('base64url');
  const fresh = `${file}.new`;
  await writeAnew(fresh, `${password}\n`);
  try {
    await single(options, 'postgres', loginOf(password, options.superuser));
    await single(options, LEDGER, OWNERSHIP);
    await writeAnew(join(options.cluster, 'pg_hba.conf'), hostsFor(options.superuser), options.account);
  } catch (cause) {
    throw new DevStackError(`Postgres: cannot make its login: ${(cause as Error).message}`, { cause });
  }
  await rename(fresh, file);
  return password;
}

/** A superuser may make more logins. */
const hostsFor = (
  superuser: boolean,
) => `# Written by Session Ledger: its login from this machine, with its password.
host all,replication ${superuser ? 'all' : LEDGER} 127.0.0.1/32 scram-sha-256
`;

/** In the place of what is there; never through a link, which another account may have put there. */
async function writeAnew(path: string, content: string, { owner }: Partial<Account> = {}): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    if (owner) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Older versions have the login as the first superuser, which keeps its rights for good: it is renamed, and another
 * one takes its name. A role cannot rename itself, so that a passing one does it.
 */
const loginOf = (password: string, superuser: boolean) => [
  `do $$ begin
     if exists (select from pg_roles where oid = 10 and rolname = '${LEDGER}') then
       create role ledger_renaming superuser;
       set local session authorization ledger_renaming;
       alter role ${LEDGER} rename to ${SUPERUSER};
       set local session authorization ${SUPERUSER};
       drop role ledger_renaming;
     end if;
     if not exists (select from pg_roles where rolname = '${LEDGER}') then create role ${LEDGER}; end if;
   end $$`,
  `alter role ${LEDGER} login createrole ${superuser ? 'superuser' : 'nosuperuser'} password '${password}'`,
  `alter role ${SUPERUSER} nologin password null`,
  // There is no "if not exists" for one. Without it the next program finds no database, and says so.
  'set exit_on_error = off',
  `create database ${LEDGER}`,
  'set exit_on_error = on',
  // The roles of the ledger, which its migrations grant and change.
  `do $$ declare name text; begin
     for name in select rolname from pg_roles where rolname like 'session\\_ledger%' loop
       execute format('grant %I to ${LEDGER} with admin option, inherit true, set true', name);
     end loop;
   end $$`,
];

/** What a superuser has made belongs to the login from now on. The database is there: it is made before. */
const OWNERSHIP = [
  `alter database ${LEDGER} owner to ${LEDGER}`,
  `do $$ declare change text; begin
     for change in
       select format('alter schema %I owner to ${LEDGER}', nspname)
         from pg_namespace where nspname = 'ledger'
       union all
       select format('alter %s %s owner to ${LEDGER}',
                case c.relkind when 'c' then 'type' when 'S' then 'sequence' when 'v' then 'view' else 'table' end,
                c.oid::regclass)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'ledger' and c.relkind in ('r', 'p', 'v', 'c', 'S')
          -- A sequence of a column belongs to whoever has the table.
          and not exists (select from pg_depend d
                           where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
                             and c.relkind = 'S')
       union all
       select format('alter routine %s owner to ${LEDGER}', p.oid::regprocedure)
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'ledger'
     loop
       execute change;
     end loop;
   end $$`,
];

/** Runs statements by the server program alone, as the superuser, with nobody connected. */
async function single(
  { cluster, binaries, account }: LoginOptions,
  database: string,
  statements: readonly string[],
): Promise<void> {
  const { path, options } = account.on(cluster);
  const settings = ['exit_on_error=on', 'log_min_messages=error', 'log_min_error_statement=panic'];
  const args = ['--single', '-j', '-D', path, ...settings.flatMap((setting) => ['-c', setting]), database];
  // `-j`: a statement ends with a semicolon and an empty line.
  const input = statements.map((one) => `${one};\n\n`).join('');
  await runOnce(binaries.postgres, args, { ...options, timeout: WITHIN_MS }, input);
}
