import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SessionView } from '#api/schemas';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import { type Service, startService } from '../support/service.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readmeOf = (example: string) => readFileSync(join(root, 'examples', example, 'README.md'), 'utf8');

let service: Service;
let home: string;
beforeAll(async () => {
  service = await startService();
  home = mkdtempSync(join(tmpdir(), 'session-ledger-readmes-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The commands of a page, one each, without the one that starts the ledger: that one runs already. */
function commandsOf(example: string): string[] {
  const blocks = [...readmeOf(example).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.trim().split(/\n(?=\S)/))
    .filter((one) => !one.startsWith('npm start'));
}

/** What a command of a page prints, run as it stands there but against these addresses. */
async function run(command: string, addresses: Record<string, string> = {}): Promise<string> {
  const all = { 'http://127.0.0.1:4600': service.url, ...addresses };
  const here = Object.entries(all).reduce((text, [said, real]) => text.replaceAll(said, real), command);
  const env = { ...process.env, LEDGER_URL: service.url, FAKE_AGENT_HOME: home };
  return (await promisify(execFile)('sh', ['-c', here], { cwd: root, env, timeout: 30_000 })).stdout;
}

/** Starts the example by the page's own command; resolves to its address. */
async function serve(command: string, listening: RegExp): Promise<string> {
  const [, script = ''] = /^node (\S+)/.exec(command) ?? [];
  const example = spawnNode(join(root, script), { env: { LEDGER_URL: service.url, PORT: '0' } });
  return listening.exec(await example.waitForLine(listening, 20_000))?.[1] as string;
}

test('the MCP server does what its page says', async () => {
  const [start = '', setProject = '', ...more] = commandsOf('mcp-server');
  expect(more).toEqual([]);
  const url = await serve(start, /^MCP server on (http:\S+)\/mcp$/);
  const answer = await run(setProject, { 'http://127.0.0.1:4700': url });
  expect(readmeOf('mcp-server')).toContain('"structuredContent":{"project":"project_a"}');
  expect(answer).toContain('"structuredContent":{"project":"project_a"}');
  const history = await ask(`${service.url}/v1/events?userId=ada&projectId=/home/ada/site`);
  expect(typesOf(history.body)).toEqual(['SessionStarted', 'AttributesChanged']);
});

test('the Nest application does what its page says', async () => {
  const [start = '', begin = '', add = '', read = '', ...more] = commandsOf('nestjs');
  expect(more).toEqual([]);
  const url = await serve(start, /^Nest on (http:\S+)\/captions$/);
  const addresses = { 'http://127.0.0.1:4800': url };
  const { session } = JSON.parse(await run(begin)) as { session: SessionView };
  expect(JSON.parse(await run(add, addresses))).toEqual({ lines: ['hello'] });
  const named = { ...addresses, '<its sessionId>': session.sessionId };
  expect(JSON.parse(await run(read, named))).toMatchObject({ lines: ['hello'] });
  const next = (JSON.parse(await run(begin)) as { session: SessionView }).session;
  expect(JSON.parse(await run(read, named))).toMatchObject({
    type: '/problems/stale-session',
    current: { sessionId: next.sessionId },
  });
  expect(JSON.parse(await run(add, addresses))).toEqual({ lines: ['hello', 'hello'] });
});

test('the coding agent does what its page says', async () => {
  const [build = '', ...more] = commandsOf('coding-agent');
  expect(more).toEqual([]);
  const results = [];
  for (let times = 0; times < 3; times++) results.push(JSON.parse(await run(build)) as { result: string });
  for (const [index, { result }] of results.slice(1).entries()) {
    expect(result.startsWith(results[index]?.result as string)).toBe(true);
  }
  const history = await ask(`${service.url}/v1/events?userId=ada&projectId=site`);
  expect(typesOf(history.body).filter((type) => type === 'SessionRotated')).toHaveLength(3);
});

function typesOf(body: unknown): string[] {
  return (body as { events: { type: string }[] }).events.map(({ type }) => type.split('.')[1] as string);
}
