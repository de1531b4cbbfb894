import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../apps/ledger/config.js';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const compose = read('docker/compose.yaml');
const hasCompose = spawnSync('docker', ['compose', 'version'], { timeout: 10_000 }).status === 0;

describe('compose.yaml', () => {
  test('gives the ledger settings that it understands', () => {
    const ledger = compose.slice(compose.indexOf('\n  ledger:'), compose.indexOf('\n  postgres:'));
    const env = Object.fromEntries(
      [...ledger.matchAll(/^ {6}([A-Z_]+): "?([^"\n]+?)"?$/gm)].map(([, k, v]) => [k, v]),
    );
    env.DATABASE_URL = env.DATABASE_URL?.replace(/\$\{POSTGRES_PASSWORD:\?[^}]+\}/, 'secret');
    expect(Object.keys(env).filter((name) => !settings().includes(name))).toEqual([]);
    expect(readConfig(env)).toMatchObject({
      host: '0.0.0.0',
      databaseUrl: 'postgres://ledger:secret@postgres:5432/ledger',
      kafkaBrokers: ['kafka:9092'],
      migrate: true,
    });
  });

  test('has no password of its own', () => {
    const passwords = [...compose.matchAll(/POSTGRES_PASSWORD: (.+)/g)].map(([, value = '']) => value);
    expect(passwords.length).toBeGreaterThan(0);
    expect(passwords.filter((value) => !/^\$\{POSTGRES_PASSWORD:\?[^}]+\}$/.test(value))).toEqual([]);
  });

  test('publishes on loopback only, because there is no access control', () => {
    const published = [...compose.matchAll(/^ {4}ports:\n((?: {6}- .*\n)+)/gm)].flatMap(([, list = '']) =>
      list.trim().split(/\s*- /).filter(Boolean),
    );
    expect(published).toEqual(['127.0.0.1:4600:4600', '127.0.0.1:4602:4602']);
  });

  (hasCompose ? test : test.skip)('is what docker compose can read', () => {
    const arguments_ = ['compose', '-f', 'docker/compose.yaml', 'config', '--quiet'];
    execFileSync('docker', arguments_, {
      ...{ cwd: fileURLToPath(root), timeout: 30_000, env: { ...process.env, POSTGRES_PASSWORD: 'secret' } },
    });
  });
});

test('the image runs as a user whose number Kubernetes can check', () => {
  expect(read('docker/Dockerfile')).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
});

test('what is built needs no development dependency to run', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const files = ['dist/apps/ledger', 'dist/apps/demo', 'dist/libs'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true })
      .filter((file) => String(file).endsWith('.js'))
      .map((file) => `${folder}/${file}`),
  );
  const imported = new Set(files.flatMap((file) => packagesOf(read(file))));
  const known = ['@nestjs/core', 'kafkajs', 'pg']; // the search finds something
  expect([...imported]).toEqual(expect.arrayContaining(known));
  expect([...imported].filter((name) => !(name in dependencies))).toEqual([]);
});

describe('docs/running.md', () => {
  const rows = [...read('docs/running.md').matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\|/gm)];
  const told = new Map(rows.map(([, name = '', value = '']) => [name, value.replaceAll('`', '')]));

  test('tells every setting, and no other', () => {
    expect([...told.keys()].sort()).toEqual(settings().sort());
  });

  test('tells their defaults', () => {
    const config = readConfig({});
    const defaults = {
      PORT: config.port,
      HOST: config.host,
      DATABASE_WAIT_SECONDS: config.databaseWaitMs / 1_000,
      DATABASE_ROLE: config.databaseRole ?? "the ledger's own",
      POSTGRES_PORT: config.postgresPort,
      KAFKA_PORT: config.kafkaPort,
      LEDGER_TOPIC: config.topic,
      LEDGER_DATA_DIR: config.dataDir,
      LEDGER_RESTARTS: config.restarts,
      LEDGER_PARTITIONS: config.partitions,
      LEDGER_ROLES: [...config.roles],
      LEDGER_WRITERS: config.writers,
      LEDGER_MAX_BATCH: config.maxBatch,
      LEDGER_MAX_QUEUE: config.maxQueue,
    };
    for (const [name, value] of Object.entries(defaults))
      expect([name, told.get(name)]).toEqual([name, `${value}`]);
  });
});

/** The names in config.ts. */
function settings(): string[] {
  return [...read('apps/ledger/config.ts').matchAll(/^ {2}([A-Z_]+): Type\./gm)].map(([, name = '']) => name);
}

/** The packages that a module imports, without Node's own and the project's rooms. */
function packagesOf(code: string): string[] {
  const names = [...code.matchAll(/^(?:import|.*\bfrom) '([^']+)';$/gm)].map(([, name = '']) => name);
  return names
    .filter((name) => !/^(\.|#|node:)/.test(name) && !builtinModules.includes(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}
