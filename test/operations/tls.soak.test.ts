import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { freePort, startPostgres } from '#dev-stack';
import { ConfigError, readConfig } from '../../apps/ledger/config.js';
import { execute } from '../support/database.js';
import { environment, freshDatabase, type Service, spawnService, startService } from '../support/service.js';
import { within } from '../support/until.js';
import { type Authority, type Certificate, makeAuthority } from './certificates.js';

const { becomes } = within(20_000);

let directory: string;
let authority: Authority;
let stranger: Authority;
let server: Certificate;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'));
  authority = await makeAuthority(directory);
  stranger = await makeAuthority(directory, 'stranger');
  server = await authority.sign('ledger.test', 'server');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Answer {
  status: number | undefined;
  serial: string;
}

/** Asks over a connection of its own. */
function ask(url: string, options: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(
      `${url}/health/live`,
      { ca: authority.text, agent: false, ...options },
      (response) => {
        const { serialNumber: serial } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume().once('end', () => resolve({ status: response.statusCode, serial }));
      },
    );
    request.once('error', reject);
  });
}

test('a key that does not belong to its certificate is said in a line', async () => {
  const env = { LEDGER_TLS_CERT: server.cert, LEDGER_TLS_KEY: authority.key };
  const service = spawnService(environment({ databaseUrl: await freshDatabase(), env }));
  expect((await service.exited).code).toBe(1);
  expect(service.errors).toEqual([
    expect.stringMatching(/^LEDGER_TLS_CERT, LEDGER_TLS_KEY: cannot be used: /),
  ]);
});

describe('HTTPS', () => {
  let service: Service;
  const tls = (more: NodeJS.ProcessEnv = {}) => ({
    ...{ LEDGER_TLS_CERT: server.cert, LEDGER_TLS_KEY: server.key },
    ...more,
  });
  beforeAll(async () => {
    service = await startService({ env: tls() });
  });

  test('is what it speaks, and nothing else', async () => {
    expect(service.url).toMatch(/^https:/);
    expect((await ask(service.url)).status).toBe(200);
    await expect(ask(service.url, { ca: stranger.text })).rejects.toThrow('certificate');
    await expect(fetch(`${service.url.replace('https', 'http')}/health/live`)).rejects.toThrow();
    await expect(ask(service.url, { maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).rejects.toThrow();
  });

  test('takes a new certificate without a restart, and keeps the old one while the two files do not fit', async () => {
    const { serial } = await ask(service.url);
    const next = await authority.sign('ledger.test', 'next');
    await copyFile(next.cert, server.cert); // its key is still to come
    await becomes(async () => service.output().includes('the old ones stay'), true);
    expect((await ask(service.url)).serial).toBe(serial);
    await copyFile(next.key, server.key);
    await becomes(async () => (await ask(service.url)).serial !== serial, true);
    expect(service.output()).not.toContain('PRIVATE KEY');
  });

  test('asks callers for a certificate where it knows who signs them', async () => {
    const strict = await startService({ env: tls({ LEDGER_TLS_CLIENT_CA: authority.cert }) });
    const as = async ({ cert, key }: Certificate) => ({
      cert: await readFile(cert),
      key: await readFile(key),
    });
    const caller = await as(await authority.sign('caller'));
    expect((await ask(strict.url, caller)).status).toBe(200);
    await expect(ask(strict.url)).rejects.toThrow();
    await expect(ask(strict.url, await as(await stranger.sign('other')))).rejects.toThrow();
  });
});

/** What is wrong with settings, as the start says it. */
function refused(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return 'nothing';
}

test('settings that would send a secret in the clear are refused, a line each', async () => {
  const file = join(directory, 'password');
  await writeFile(file, 's3cret\n');
  const sasl = {
    ...{ KAFKA_BROKERS: 'kafka:9093', KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'ledger' },
    KAFKA_SASL_PASSWORD_FILE: file,
  };
  const cases: [NodeJS.ProcessEnv, RegExp][] = [
    [{ HOST: '0.0.0.0' }, /^LEDGER_TLS: .*LEDGER_TLS=proxy/],
    [{ LEDGER_TLS_CERT: server.cert }, /^LEDGER_TLS_CERT and LEDGER_TLS_KEY go together/],
    [
      { DATABASE_URL: 'postgres://u:s3cret@db.test/ledger' },
      /db\.test is not verified: add sslmode=verify-full/,
    ],
    [{ DATABASE_URL: 'postgres://u:s3cret@db.test/ledger?sslmode=require' }, /not verified/],
    [{ DATABASE_URL: 'postgres://u:s3cret@127.0.0.1/ledger?host=db.test' }, /db\.test is not verified/],
    [{ DATABASE_URL: 'postgres://u:s3cret@db.test/l?sslmode=verify-full&sslmode=disable' }, /not verified/],
    [
      { DATABASE_URL: 'postgres://u:s3 cret@[db/ledger', PORT: 'postgres://u:s3 cret@h/db' },
      /^PORT: .*u:…@h\/db"$/,
    ],
    [{ DATABASE_URL_FILE: file }, /^DATABASE_URL_FILE: .* does not hold one postgres/],
    [{ DATABASE_URL_FILE: `${file}.none` }, /^DATABASE_URL_FILE: ENOENT/],
    [
      { DATABASE_URL: 'postgres://127.0.0.1/l', DATABASE_URL_FILE: file },
      /^DATABASE_URL and DATABASE_URL_FILE say the same/,
    ],
    [sasl, /^KAFKA_SASL_MECHANISM: needs KAFKA_SSL=true/],
    [{ ...sasl, KAFKA_SASL_USERNAME: '', KAFKA_SSL: 'true' }, /^KAFKA_SASL_MECHANISM, .*go together/],
    [
      { ...sasl, KAFKA_SASL_PASSWORD_FILE: `${file}.none`, KAFKA_SSL: 'true' },
      /^KAFKA_SASL_PASSWORD_FILE: ENOENT/,
    ],
    [{ KAFKA_BROKERS: 'kafka:9093', KAFKA_SSL_CA: server.cert }, /^KAFKA_SSL_CA: needs KAFKA_SSL=true/],
    [{ KAFKA_SSL: 'true' }, /^KAFKA_SSL: this machine's own Kafka/],
  ];
  for (const [env, said] of cases) {
    const line = refused(env);
    expect(line).toMatch(said);
    expect(line).not.toMatch(/s3 ?cret/);
  }
});

test('Postgres over TLS is used only where its certificate is for its name and signed by whom we trust', async () => {
  const dataDir = join(directory, 'postgres');
  const port = await freePort();
  const postgres = await startPostgres({ dataDir, port, superuser: true, log: () => {} });
  const { cert, key } = await authority.sign('localhost', 'postgres');
  // By its own hand: the files are its account's then.
  for (const [file, path] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const)
    await execute(
      postgres.url,
      `copy (select unnest(string_to_array($pem$${(await readFile(path, 'utf8')).trim()}$pem$, E'\\n'))) to program 'umask 077; cat > ${file}'`,
    );
  await execute(postgres.url, 'alter system set ssl = on');
  await execute(postgres.url, 'select pg_reload_conf()');
  await pause(500);
  const url = (host: string, ca: Authority) =>
    `${postgres.url.replace('127.0.0.1', host)}?sslmode=verify-full&sslrootcert=${ca.cert}`;
  const urlFile = join(directory, 'database-url');
  await writeFile(urlFile, `${url('localhost', authority)}\n`);
  const service = await startService({ databaseUrl: '', env: { DATABASE_URL_FILE: urlFile } });
  const { rows } = await execute(
    postgres.url,
    "select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name ^@ 'session-ledger'",
  );
  expect(rows).toEqual([{ ssl: true }]);
  await service.stop();
  const refusal = async (databaseUrl: string) => {
    const process = spawnService(environment({ databaseUrl, env: { DATABASE_WAIT_SECONDS: '0' } }));
    await process.exited;
    expect(process.errors.join('\n')).not.toContain(new URL(postgres.url).password);
    return process.errors.join('\n');
  };
  expect(await refusal(url('localhost', stranger))).toMatch(/certificate|verif/);
  expect(await refusal(url('127.0.0.2', authority))).toMatch(/does not match|ECONNREFUSED/);
  await postgres.stop();
});

test('a password may come from PGPASSFILE', async () => {
  const databaseUrl = new URL(await freshDatabase());
  const { hostname, port, password } = databaseUrl;
  const file = join(directory, 'pgpass');
  await writeFile(file, `${hostname}:${port}:*:ledger:${password}\n`, { mode: 0o600 });
  databaseUrl.password = '';
  const service = await startService({ databaseUrl: databaseUrl.href, env: { PGPASSFILE: file } });
  await service.stop();
});
