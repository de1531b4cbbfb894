import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnNode } from '../support/process.js';

const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));

/** A key that a ledger of this name signs with: its public form, and what tells the service of it. */
export async function makeAuditKey(origin: string): Promise<{ verifierKey: string; env: NodeJS.ProcessEnv }> {
  const file = join(mkdtempSync(join(tmpdir(), 'console-audit-')), 'audit.key');
  const made = spawnNode(cli, {
    args: ['audit', 'keygen', '--origin', origin, '-o', file, '--json'],
    env: { LEDGER_URL: 'http://127.0.0.1:1' },
  });
  await made.exited;
  const { key } = JSON.parse(made.lines.join('\n')) as { key: string };
  return { verifierKey: key, env: { LEDGER_ORIGIN: origin, LEDGER_AUDIT_KEY_FILE: file } };
}
