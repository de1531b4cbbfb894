import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnNode } from '../support/process.js';
import { type Service, startService } from '../support/service.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');
let service: Service;
let project: string;
let client: string;

/** A project of somebody's, in which a generator makes a client of what the running service says of itself. */
beforeAll(async () => {
  service = await startService();
  project = mkdtempSync(join(tmpdir(), 'session-ledger-generated-'));
  cpSync(join(root, 'test/support/generated-client'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  symlinkSync(modules, join(project, 'node_modules'));
  client = join(project, 'ledger.ts');
  const generator = join(modules, 'swagger-typescript-api/dist/cli.mjs');
  const from = ['--path', `${service.url}/openapi.json`, '--output', project, '--name', 'ledger.ts'];
  execFileSync(process.execPath, [generator, 'generate', ...from], { cwd: project, stdio: 'pipe' });
  // It switches off the compiler's look at itself, which is what is wanted here.
  writeFileSync(client, readFileSync(client, 'utf8').replace('// @ts-nocheck', ''));
}, 60_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

test('a client that is generated from /openapi.json is type-correct, and does what its program asks', async () => {
  const compiler = join(modules, 'typescript/bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
  expect([stdout, status]).toEqual(['', 0]);
  const { exited, lines, errors } = spawnNode(join(project, 'program.js'), { args: [service.url] });
  expect([await exited, errors]).toEqual([{ code: 0, signal: null }, []]);
  expect(lines).toEqual([expect.stringMatching(/^followed to \d+:\d+$/)]);
});

test('everything that is sent and answered has the name there that it has here', () => {
  const code = readFileSync(client, 'utf8');
  for (const name of ['StartBody', 'Session', 'CommandAnswer', 'Problem', 'SessionPage', 'LedgerEvent']) {
    expect(code).toMatch(new RegExp(`^export (interface|type) ${name}\\b`, 'm'));
  }
  const calls = code.slice(code.indexOf('export class Api'));
  const unnamed = [...calls.matchAll(/this\.request<\s*(\{|any|object)[^>]*>|data: \{/g)].map(
    ([text]) => text,
  );
  expect(unnamed).toEqual([]);
});
