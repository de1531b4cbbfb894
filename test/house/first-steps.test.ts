import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Service, startService } from '../support/service.js';
import { within } from '../support/until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { until } = within(10_000);

let service: Service;
beforeEach(async () => {
  service = await startService();
});

/** The pages' shell blocks, in order, against this service; what starts or tests a ledger is left out. */
function blocksOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.trim());
  return blocks
    .filter((block) => !block.startsWith('npm ci'))
    .map((block) => block.replaceAll('http://127.0.0.1:4600', service.url));
}

/** A stream that a page leaves running in a second terminal. */
function watch(command: string) {
  const watching = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  let seen = '';
  watching.stdout.on('data', (piece) => {
    seen += piece;
  });
  const typesSeen = () => [...seen.matchAll(/"type":"session-ledger\.(\w+)\.v1"/g)].map(([, type]) => type);
  return { typesSeen, isOpen: () => seen !== '', end: () => watching.kill() };
}

/** All blocks in one shell, as in one terminal; what each printed. */
async function inOneTerminal(blocks: readonly string[]): Promise<string[]> {
  const script = blocks.join('\nprintf "\\036"\n');
  const env = { ...process.env, LEDGER_URL: service.url };
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: root, env, timeout: 60_000 });
  return stdout.split('\u001e');
}

test('the first steps of the README show what they say', async () => {
  const [stream = '', steps = '', ...more] = blocksOf('README.md');
  expect(more).toEqual([]);
  const watching = watch(stream);
  try {
    await until(watching.isOpen);
    const [printed = ''] = await inOneTerminal([steps]);
    expect(printed).toContain('"outcome":"started"');
    expect(printed.match(/"status":"active"/g)).toHaveLength(2);
    await until(() => watching.typesSeen().includes('SessionStarted'));
  } finally {
    watching.end();
  }
});

test('the tutorial shows what it says', async () => {
  const [stream = '', ...steps] = blocksOf('docs/tutorial.md');
  const watching = watch(stream);
  try {
    await until(watching.isOpen);
    const [first = '', , second = '', stop = '', after = '', release = '', history = ''] =
      await inOneTerminal(steps);
    expect(first).toMatch(/"outcome":"started".*"epoch":1/);
    expect(second).toMatch(/"outcome":"started".*"epoch":2/);
    expect(stop).toMatch(/^HTTP\/1\.1 409 /);
    expect(stop).toContain('"type":"/problems/stale-session"');
    expect(after).toMatch(/"environment":"cloud-debug"/);
    expect(release).toMatch(
      /"outcome":"released".*"type":"\/problems\/reserved".*"outcome":"claimed".*"epoch":4/s,
    );
    expect(history).toMatch(/StopIgnored.*cloud-dev, ignored: superseded/);
    const all = ['SessionStarted', 'SessionSuperseded', 'SessionStarted', 'StopIgnored'];
    await until(() => watching.typesSeen().length === 6);
    expect(watching.typesSeen()).toEqual([...all, 'OwnershipReleased', 'OwnershipClaimed']);
  } finally {
    watching.end();
  }
});
