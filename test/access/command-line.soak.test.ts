import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { program } from '../../apps/cli/program.js';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import type { CommandBody, EventsBody } from '../support/sessions.js';

/**
 * Every command of the command line, asked with the key of one tenant for what another one has under the same names: it
 * shows nothing of it, and changes nothing. A command that is new is missed here until it is listed.
 */
const main = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));

let guarded: Guarded;
const secrets: Record<string, string> = {};
/** What red's key, session and job are called. */
const red = { keyId: '', sessionId: '', jobId: '' };
const folder = mkdtempSync(join(tmpdir(), 'session-ledger-tenants-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const as = async <T>(tenant: string, path: string, body?: object) =>
  (
    await ask<T>(`${guarded.service.url}${path}`, {
      ...(body && { body }),
      headers: by(secrets[tenant] as string),
    })
  ).body;
const scope = { userId: 'ada', projectId: 'captions' };
const ofScope = new URLSearchParams(scope);

beforeAll(async () => {
  guarded = await startGuarded();
  for (const tenant of ['red', 'blue']) {
    const permissions = ['read', 'write', 'operate', 'admin'] as const;
    const made = await guarded.key({
      ...{ tenant, permissions, principal: `canary-${tenant}` },
      name: `canary-${tenant}`,
    });
    secrets[tenant] = made.secret;
    if (tenant === 'red') red.keyId = made.id;
  }
  const started = await as<CommandBody>('red', '/v1/sessions', {
    ...scope,
    owner: { environment: 'cloud', instance: 'canary-red' },
    attributes: { note: 'canary-red' },
  });
  red.sessionId = started.session.sessionId;
  const job = { action: 'release', environment: 'nothing-there', reason: 'canary-red' };
  red.jobId = (await as<{ jobId: string }>('red', '/v1/bulk', job)).jobId;
});

/** As blue, about what red has. Each is run in this order. */
const OF_TENANTS: Record<string, () => string[][]> = {
  current: () => [['ada', 'captions']],
  sessions: () => [['ada', 'captions'], []],
  chain: () => [['ada', 'captions']],
  history: () => [['ada', 'captions']],
  tail: () => [
    ['-n', '500'],
    ['--from', 'start'],
  ],
  stats: () => [[]],
  release: () => [['ada', 'captions', '--force']],
  end: () => [['ada', 'captions', '--force', '--reason', 'taken']],
  bulk: () => [
    ['--job', red.jobId],
    ['--action', 'end', '--user', 'ada', '--reason', 'taken', '--yes'],
    ['--action', 'end', '--environment', 'cloud', '--reason', 'taken', '--yes'],
  ],
  start: () => [['ada', 'captions', '--as', 'cloud/canary-blue']],
  'keys list': () => [[]],
  'keys create': () => [
    ['--permissions', 'read', '--name', 'theirs', '--tenant', 'red'],
    ['--permissions', 'audit', '--name', 'all', '--ledger-wide'],
  ],
  'keys rotate': () => [[red.keyId]],
  'keys revoke': () => [[red.keyId]],
  'audit verify': () => [[]],
  'audit watch': () => [['--dir', join(folder, 'kept'), '--once']],
  'audit report': () => [['--user', 'ada', '--project', 'captions', '-o', join(folder, 'report.json')]],
};
/** They take no tenant's key: who runs them has the ledger's database, its files, or Kafka. */
const OF_OWNERS = [
  ...[
    'replay',
    'rebuild',
    'verify',
    'archive',
    'access-log',
    'migrate',
    'handle-key make',
    'handle-key move',
    'audit keygen',
    'relay accept-restore',
  ],
];

function leavesOf(command: Command, names: string[] = []): string[] {
  if (command.commands.length === 0) return [names.join(' ')];
  return command.commands.flatMap((one) => leavesOf(one, [...names, one.name()]));
}

async function run(command: string, args: string[], tenant = 'blue'): Promise<string> {
  const cli = spawnNode(main, {
    args: [...command.split(' '), ...args],
    env: {
      LEDGER_URL: guarded.service.url,
      LEDGER_TOKEN: secrets[tenant],
      ...{ DATABASE_URL: undefined, LEDGER_AUDIT_VKEY: undefined },
    },
  });
  await cli.exited;
  return [...cli.lines, ...cli.errors].join('\n');
}

test("each command is tried as another tenant, or is the ledger owner's", async () => {
  expect(leavesOf(await program()).sort()).toEqual([...Object.keys(OF_TENANTS), ...OF_OWNERS].sort());
});

test('no command shows a tenant anything of another one, or changes it', async () => {
  const events = async () => (await as<EventsBody>('red', `/v1/events?${ofScope}`)).events;
  const before = await events();
  expect(await run('history', ['ada', 'captions', '--json'], 'red')).toContain('canary-red');
  for (const [command, tries] of Object.entries(OF_TENANTS)) {
    for (const args of tries()) {
      const said = await run(command, args);
      expect({ command, args, said: said.match(/canary-red/g) }).toEqual({ command, args, said: null });
      expect({ command, args, knows: said.includes(red.sessionId) && !args.includes(red.sessionId) }).toEqual(
        { command, args, knows: false },
      );
    }
  }
  expect(await events()).toEqual(before);
  const { body } = await ask<{ sessionId: string }>(`${guarded.service.url}/v1/current?${ofScope}`, {
    headers: by(secrets.red as string), // its key counts as before
  });
  expect(body.sessionId).toBe(red.sessionId);
  expect((await as<{ keys: unknown[] }>('red', '/v1/keys')).keys).toHaveLength(1);
}, 180_000);
