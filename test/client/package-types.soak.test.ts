import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The package in projects of every kind, with a compiler that still knows how TypeScript resolved modules before Node
// had ES modules.
const root = fileURLToPath(new URL('../..', import.meta.url));
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'client-types-'));
  const installed = join(project, 'node_modules/@session-ledger/client');
  execFileSync(process.execPath, [join(root, 'libs/client/npm/package.js'), installed]);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', project], {
    cwd: installed,
    encoding: 'utf8',
  });
  rmSync(join(project, 'node_modules'), { recursive: true });
  const needed = ['typescript@5.9', '@types/node@20', 'kafkajs@2.2.4', `./${packed.trim()}`];
  execFileSync('npm', ['install', '--silent', '--no-audit', ...needed], { cwd: project });
}, 180_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

const source = `
import { LedgerClient, type Session } from '@session-ledger/client';
import { withSession } from '@session-ledger/client/node';
import { kafkaSource } from '@session-ledger/client/kafka';
import { MemoryLedger } from '@session-ledger/client/testing';

const ledger = new MemoryLedger();
const client: LedgerClient = new LedgerClient({ url: 'http://memory.ledger', fetch: ledger.fetch });
export const all = [withSession, kafkaSource];
client
  .current({ userId: 'ada' })
  .then((session: Session | undefined) => console.log(session === undefined ? 'none' : session.epoch));
`;

test.each([
  ['commonjs', 'commonjs', 'node10'],
  ['commonjs', 'node16', 'node16'],
  ['commonjs', 'nodenext', 'nodenext'],
  ['module', 'node16', 'node16'],
  ['module', 'nodenext', 'nodenext'],
  ['module', 'esnext', 'bundler'],
])(
  'a project of type %s, module %s and moduleResolution %s has types, and runs',
  (type, module, resolution) => {
    const folder = join(project, `${type}-${module}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }));
    writeFileSync(join(folder, 'main.ts'), source);
    const options = {
      ...{ strict: true, target: 'es2022', lib: ['es2023', 'esnext.disposable'], types: ['node'] },
      ...{ module, moduleResolution: resolution },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
    const compiler = join(project, 'node_modules/typescript/bin/tsc');
    const compiled = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    expect(compiled.stdout).toBe('');
    const ran = spawnSync(process.execPath, [join(folder, 'main.js')], { encoding: 'utf8' });
    expect([ran.stdout, ran.stderr]).toEqual(['none\n', '']);
  },
  60_000,
);
