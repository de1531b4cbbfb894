import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LedgerClient } from '#client';
import { type Guarded, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import { freshTopic } from '../support/service.js';
import { newUser } from '../support/sessions.js';

/**
 * The demo and the examples at a ledger that wants a key, which the environment or a file gives them. Those in Python are
 * tested so beside the others of theirs.
 */

const script = (path: string) => fileURLToPath(new URL(`../../dist/${path}/main.js`, import.meta.url));
const kafka = process.env.TEST_KAFKA_BROKERS ?? '';
const topic = freshTopic();

let guarded: Guarded;
let directory: string;
/** What a program's environment says of its key: of a tenant, or of one and ledger-wide. */
const ways: Record<string, Record<'ofTenant' | 'ledgerWide', NodeJS.ProcessEnv>> = {};
let key: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'programs-'));
  guarded = await startGuarded({ kafkaBrokers: kafka, topic });
  const permissions = ['read', 'write'] as const;
  const { secret } = await guarded.key({ permissions });
  const { secret: wide } = await guarded.key({ ledgerWide: true, permissions: [...permissions, 'audit'] });
  key = secret;
  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), `${text}\n`, { mode: 0o600 });
    return { LEDGER_TOKEN_FILE: join(directory, name) };
  };
  ways.LEDGER_TOKEN = {
    ofTenant: { LEDGER_TOKEN: secret },
    ledgerWide: { LEDGER_TOKEN: wide },
  };
  ways.LEDGER_TOKEN_FILE = {
    ofTenant: await file('key', secret),
    ledgerWide: await file('wide', wide),
  };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (path: string, env: NodeJS.ProcessEnv, args: string[] = []) =>
  spawnNode(script(path), { args, env: { LEDGER_URL: guarded.service.url, PORT: '0', ...env } });

describe.each(['LEDGER_TOKEN', 'LEDGER_TOKEN_FILE'])('with %s', (which) => {
  test('the demo plays its story, from Kafka and from the feed', async () => {
    for (const how of [['--kafka', kafka, '--topic', topic], ['--without-kafka']]) {
      const demo = start('apps/demo', ways[which]!.ledgerWide, how);
      const { code } = await demo.exited;
      expect([how[0], code, demo.errors]).toEqual([how[0], 0, []]);
    }
  });

  test('the coding agent runs an operation', async () => {
    const fake = fileURLToPath(new URL('../../examples/coding-agent/fake-agent.js', import.meta.url));
    const args = [newUser(), 'site', 'build', 'a prompt', '--', process.execPath, fake];
    const env = { ...ways[which]!.ofTenant, FAKE_AGENT_HOME: directory };
    const agent = start('examples/coding-agent', env, args);
    const { code } = await agent.exited;
    expect([code, agent.errors]).toEqual([0, []]);
  });

  test('the Nest application finds the session of a request', async () => {
    const app = start('examples/nestjs', ways[which]!.ofTenant);
    const url = /^Nest on (\S+)/.exec(await app.waitForLine(/^Nest on/, 20_000))?.[1] ?? '';
    const ledger = new LedgerClient({ url: guarded.service.url, token: key });
    const userId = newUser();
    const handles = [{ kind: 'transport', value: userId, binds: 'scope' as const }];
    await ledger.call('startSession', { body: { userId, owner: { environment: 'cloud-dev' }, handles } });
    const headers = { 'session-handle': `transport:${userId}` };
    expect((await ask(url, { headers, body: { text: 'one' } })).body).toEqual({ lines: ['one'] });
    ledger.close();
    await app.kill();
  });

  test('the MCP server keeps a project', async () => {
    const server = start('examples/mcp-server', ways[which]!.ofTenant);
    const port = /:(\d+)/.exec(await server.waitForLine(/^MCP server on/, 20_000))?.[1];
    const client = new Client({ name: newUser(), version: '1' });
    const requestInit = { headers: { 'x-repository-root': '/site' } };
    const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
      requestInit,
    });
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    const told = await client.callTool({ name: 'set_project', arguments: { project: 'p' } });
    expect(told).toMatchObject({ structuredContent: { project: 'p' } });
    await client.close();
    await server.kill();
  });
});

test('without a key each says that there is none that counts, in a line', async () => {
  const env = { LEDGER_TOKEN: undefined, LEDGER_TOKEN_FILE: undefined };
  const demo = start('apps/demo', env, ['--without-kafka']);
  const args = [newUser(), 'site', 'build', 'a prompt', '--', process.execPath, '-e', ''];
  const agent = start('examples/coding-agent', env, args);
  for (const one of [demo, agent]) {
    expect((await one.exited).code).toBe(1);
    expect(one.errors.join('\n')).toMatch(/authorization|LEDGER_TOKEN|unauthenticated/i);
    expect(one.errors.join('\n')).not.toMatch(/\n\s+at /);
  }
});
