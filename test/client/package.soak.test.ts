import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnNode } from '../support/process.js';
import { freshTopic, type Service, startService } from '../support/service.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const topic = freshTopic();
let service: Service;
let project: string;
let installed: string;

/** A project of somebody's: the package is installed there, and what the pages say that one needs besides. */
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'session-ledger-client-'));
  installed = join(project, 'node_modules/@session-ledger/client');
  execFileSync(process.execPath, [join(root, 'libs/client/npm/package.js'), installed]);
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  for (const name of ['kafkajs', '@types/node', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
  const compilerOptions = {
    ...strict,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  service = await startService({ kafkaBrokers: process.env.TEST_KAFKA_BROKERS ?? '', topic });
}, 180_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

interface Snippet {
  name: string;
  code: string;
  /** What the page says that it prints, if it says so. */
  prints: string | undefined;
}

const pages = [
  'libs/client/README.md',
  ...readdirSync(join(root, 'docs/client')).map((name) => `docs/client/${name}`),
];
const snippets = pages.flatMap(snippetsOf);

function snippetsOf(page: string): Snippet[] {
  const blocks = [...readFileSync(join(root, page), 'utf8').matchAll(/^```(ts|text)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language, code = ''], index) => {
    const next = blocks[index + 1];
    const prints = next?.[1] === 'text' ? next[2] : undefined;
    return language === 'ts' ? [{ name: `${page.replaceAll(/\W/g, '-')}-${index}`, code, prints }] : [];
  });
}

test('what the pages show is type-correct for whoever installed the package', () => {
  expect(snippets.length).toBeGreaterThan(9);
  for (const { name, code } of snippets) writeFileSync(join(project, `${name}.ts`), code);
  const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
  expect([stdout, status]).toEqual(['', 0]);
}, 60_000);

test.each(snippets)('$name does what its page says', async ({ name, prints }) => {
  const [broker] = (process.env.TEST_KAFKA_BROKERS ?? '').split(',');
  const env = {
    LEDGER_URL: service.url,
    KAFKA_BROKER: broker,
    LEDGER_TOPIC: topic,
    KAFKAJS_NO_PARTITIONER_WARNING: '1',
  };
  const { exited, lines, errors } = spawnNode(join(project, `${name}.js`), { env });
  const ended = await exited;
  // kafkajs says on stderr what it tries again.
  expect([ended, errors.filter((line) => !line.includes('"logger":"kafkajs"'))]).toEqual([
    { code: 0, signal: null },
    [],
  ]);
  if (prints !== undefined)
    expect(`${lines.filter((line) => !line.startsWith('{')).join('\n')}\n`).toBe(prints);
});

test('the package needs nothing, and says nothing of where it was made', () => {
  const description = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  expect([description.name, description.dependencies]).toEqual(['@session-ledger/client', undefined]);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  const kept = files.filter((file) => /\.(js|d\.ts)$/.test(file));
  const imported = kept.flatMap((file) => {
    const text = readFileSync(join(installed, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    return [...text.matchAll(/(?<!['"])\b(?:from|import)\s*\(?['"]([^'"]+)['"]/g)].map(
      ([, name = '']) => name,
    );
  });
  const foreign = [...new Set(imported)].filter((name) => !name.startsWith('.'));
  expect(foreign.sort()).toEqual([
    ...['#api', '#client', '#session', '#tlog', '#waiting'],
    ...['node:async_hooks', 'node:fs/promises'],
  ]);
  expect(files.filter((file) => /test|specification/.test(file))).toEqual([]);
});

test('its page links to nothing that npm does not have, and to the repository where that is known', () => {
  const pageOf = (folder: string) => readFileSync(join(folder, 'README.md'), 'utf8');
  expect(pageOf(installed)).not.toMatch(/\]\(\./);
  const folder = join(project, 'published');
  execFileSync(process.execPath, [join(root, 'libs/client/npm/package.js'), folder], {
    env: { ...process.env, PACKAGE_REPOSITORY: 'https://git.example/ledger.git' },
  });
  expect(pageOf(folder)).toContain('[start](https://git.example/ledger/blob/main/docs/client/start.md)');
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
    ...{ homepage: 'https://git.example/ledger#readme', license: 'MIT', keywords: expect.any(Array) },
    repository: { url: 'git+https://git.example/ledger.git', directory: 'libs/client' },
  });
  const publish = spawnSync('npm', ['publish', '--dry-run', '--offline'], { cwd: folder, encoding: 'utf8' });
  const warnings = publish.stderr.match(/^npm warn .*/gm) ?? [];
  expect([publish.status, warnings.filter((line) => !line.includes('to be logged in'))]).toEqual([0, []]);
});

test('the package, packed, is small', () => {
  const report = execFileSync('npm', ['pack', '--dry-run', '--json'], {
    cwd: installed,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  const parsed = JSON.parse(report);
  const [{ size }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  // A tenth are the declarations for projects of CommonJS.
  expect(size).toBeLessThan(150_000);
  // Browsers can import it: only the entry for Node asks for anything of Node's.
  const { resolve } = createRequire(join(project, 'index.js'));
  expect(resolve('@session-ledger/client/node')).toContain('client/node.js');
});
