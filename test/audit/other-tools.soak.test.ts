import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { auditLog, LedgerClient } from '#client';
import { makeKeyFile } from '#proofs';
import { spawnNode } from '../support/process.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(300_000);

// Everything that is signed and proven is checked by Go's packages for transparency logs, which know nothing of this ledger.
// AUDIT_EVENTS=1000000 makes it large; the figures are written to the output.

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const module = fileURLToPath(new URL('./go', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'ledger-go-'));
const binary = join(directory, 'audit');
const ORIGIN = 'ledger.example.com';
const events = Number(process.env.AUDIT_EVENTS ?? 5_000);
const isLarge = events > 100_000;
const PROOFS = isLarge ? 1_000 : 100;

const whyNot = await run('go', ['build', '-o', binary, '.'], { cwd: module, timeout: 120_000 }).then(
  () => undefined,
  (error: { code?: string; stderr?: string }) => error.stderr || error.code || 'unknown',
);
const withGo = whyNot === undefined ? test : test.skip;
if (whyNot !== undefined)
  console.warn(`skipped: go 1.22 or newer, with its module proxy, is not here (${whyNot})`);

let service: Service;
let key = '';

beforeAll(async () => {
  if (whyNot !== undefined) return;
  key = makeKeyFile(join(directory, 'key'), ORIGIN).verifierKey;
  const env = {
    LEDGER_PARTITIONS: '2',
    LEDGER_ORIGIN: ORIGIN,
    LEDGER_AUDIT_KEY_FILE: join(directory, 'key'),
  };
  service = await startService({ env });
  const ledger = new LedgerClient({ url: service.url });
  await write(ledger);
  // While commands take all of the time, tiles wait.
  const log = auditLog(ledger);
  const isMade = async (position: string) =>
    log.proof(position).then(
      () => true,
      () => false,
    );
  await until(async () => (await isMade('0:1')) && (await isMade('1:1')));
}, 1_800_000);

/** Supersedes sessions of two users until there are so many events: two each time. */
async function write(ledger: LedgerClient) {
  const users = Array.from({ length: 16 }, newUser);
  const commands = Array.from({ length: 500 }, (_, at) => {
    const owner = at % 32 < 16 ? cloudDev : cloudDebug;
    return { operation: 'startSession', body: { userId: users[at % 16], owner } };
  });
  const lists = Math.ceil(events / 1_000);
  for (let list = 0; list < lists; list += 4) {
    const body = { commands } as never;
    const some = Array.from({ length: Math.min(4, lists - list) }, () =>
      ledger.call('sendCommands', { body }, { deadlineMs: 120_000, attemptMs: 60_000 }),
    );
    await Promise.all(some);
  }
}

withGo.each([0, 1])(
  'the checkpoint, all tiles and many proofs of partition %d are right',
  async (partition) => {
    const args = ['tiles', service.url, String(partition), key, String(PROOFS)];
    const { stdout } = await run(binary, args, { timeout: 1_700_000 });
    const told = JSON.parse(stdout);
    if (isLarge) console.log(stdout);
    expect(told).toMatchObject({ proofs: PROOFS });
    expect(told.events).toBeGreaterThan(100);
    expect(told.tiles).toBeGreaterThanOrEqual(Math.floor(told.events / 256));
  },
  1_800_000,
);

withGo('a report is right', async () => {
  const ledger = new LedgerClient({ url: service.url });
  const userId = newUser();
  for (const owner of [cloudDev, cloudDebug, cloudDev])
    await ledger.call('startSession', { body: { userId, owner } });
  const file = join(directory, 'report.json');
  const report = spawnNode(cli, {
    args: ['audit', 'report', '--user', userId, '-o', file],
    env: { LEDGER_URL: service.url },
  });
  expect((await report.exited).code).toBe(0);
  const { stdout } = await run(binary, ['report', file, key]);
  expect(JSON.parse(stdout)).toEqual({ events: 5 });
});

withGo('another key is refused', async () => {
  const other = makeKeyFile(join(directory, 'other'), ORIGIN).verifierKey;
  expect(await auditLog(new LedgerClient({ url: service.url })).checkpoint(0)).toContain(ORIGIN);
  const checked = run(binary, ['tiles', service.url, '0', other, '1']);
  await expect(checked).rejects.toMatchObject({
    stderr: expect.stringContaining('note has no verifiable signatures'),
  });
});
