// Runs the Python client's tests against the built service, on a real Postgres and Kafka of their own:
//   node test/python/run.js [what pytest takes], or --measure
// Needs Python 3.10 or newer (PYTHON, or python3), and PyPI or a cache of it. Plain JavaScript, as the stack's setup is.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import globalSetup from '../support/stack/global-setup.js';
import globalTeardown from '../support/stack/global-teardown.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const client = join(root, 'libs/client-python');

/** A virtual environment with the client as it stands here, and what its tests need; kept until that changes. */
function environment() {
  const python = process.env.PYTHON ?? 'python3';
  const version = spawnSync(python, ['-c', 'import sys; print(*sys.version_info[:2])'], { encoding: 'utf8' });
  const [major, minor] = (version.stdout ?? '').trim().split(' ').map(Number);
  if (!(major === 3 && minor >= 10)) throw new Error(`${python} is no Python 3.10 or newer`);
  const wanted = ['pyproject.toml', 'requirements-dev.txt'].map((file) => readFileSync(join(client, file)));
  const stamp = createHash('sha256').update(wanted.join('\n')).digest('hex');
  const venv = join(root, 'node_modules/.cache', `python-${major}.${minor}`);
  const stampFile = join(venv, 'installed');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    rmSync(venv, { recursive: true, force: true });
    run(python, ['-m', 'venv', venv]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    run(join(venv, 'bin/python'), [...pip, '-e', client, '-r', join(client, 'requirements-dev.txt')]);
    writeFileSync(stampFile, stamp);
  }
  return join(venv, 'bin');
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} failed`);
}

/** Makes databases for the tests: each POST is answered with the address of a new one. */
async function databases() {
  const server = createServer(async (_, response) => {
    const url = new URL(process.env.TEST_DATABASE_URL);
    const name = `test_${randomBytes(8).toString('hex')}`;
    const connection = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
    try {
      await connection.connect();
      await connection.query(`CREATE DATABASE ${name}`);
      url.pathname = `/${name}`;
      response.end(url.href);
    } catch (error) {
      response.writeHead(500).end(String(error));
    } finally {
      await connection.end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const bin = environment();
await globalSetup();
const server = await databases();
try {
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    TEST_DATABASES: `http://127.0.0.1:${server.address().port}`,
    TEST_ROOT: root,
  };
  const given = process.argv.slice(2);
  const measures = given[0] === '--measure';
  const command = measures
    ? [join(root, 'test/python/measure.py'), ...given.slice(1)]
    : ['-m', 'pytest', ...given];
  const python = spawn(join(bin, 'python'), command, { cwd: client, env, stdio: 'inherit' });
  const [code] = await once(python, 'close');
  process.exitCode = code ?? 1;
} finally {
  server.close().closeAllConnections();
  await globalTeardown();
}
