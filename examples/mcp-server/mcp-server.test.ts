import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { LedgerClient } from '#client';
import { type NodeProcess, spawnNode } from '../../test/support/process.js';
import { type Service, startService } from '../../test/support/service.js';
import { newUser } from '../../test/support/sessions.js';

const main = fileURLToPath(new URL('../../dist/examples/mcp-server/main.js', import.meta.url));
const LISTENING = /^MCP server on http:\/\/127\.0\.0\.1:(\d+)/;
const repository = '/home/ada/site';

let ledger: Service;
let ledgerClient: LedgerClient;
let server: NodeProcess;
let port = '0';
const clients: Client[] = [];

async function startServer(): Promise<void> {
  server = spawnNode(main, { env: { LEDGER_URL: ledger.url, PORT: port } });
  port = LISTENING.exec(await server.waitForLine(LISTENING))?.[1] as string;
}

beforeAll(async () => {
  ledger = await startService();
  ledgerClient = new LedgerClient({ url: ledger.url });
  await startServer();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  ledgerClient.close();
  await server.kill();
});

/** A connection of the protocol's own sort: the server knows it by its id. Without `root`: of the sort without. */
async function connect(agent: string, root?: string): Promise<{ client: Client; id: string | undefined }> {
  const client = new Client({ name: agent, version: '1' });
  clients.push(client);
  const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
    ...(root !== undefined && { requestInit: { headers: { 'x-repository-root': root } } }),
  });
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return { client, id: transport.sessionId };
}

/** What a tool answers, or its error. */
async function call(client: Client, name: string, args: Record<string, unknown> = {}) {
  const { isError, content, structuredContent } = (await client.callTool({
    name,
    arguments: args,
  })) as CallToolResult;
  const text = content[0]?.type === 'text' ? content[0].text : '';
  return isError ? { error: text } : { ...structuredContent };
}

/** What happened in the scope of an agent. */
async function eventsOf(agent: string, root = repository): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of ledgerClient.history({ userId: agent, projectId: root })) types.push(type);
  return types.map((type) => type.split('.')[1] as string);
}

test('what was set is there after kill -9 of server and ledger, on the same connection and on a new one', async () => {
  const agent = newUser();
  const { client, id } = await connect(agent, repository);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await call(client, 'get_project')).toEqual({ project: null });
  expect(await call(client, 'set_project', { project: 'project_a' })).toEqual({ project: 'project_a' });

  await Promise.all([server.kill('SIGKILL'), ledger.stop('SIGKILL')]);
  await ledger.restart();
  await startServer();
  expect(await call(client, 'get_project')).toEqual({ project: 'project_a' });
  const other = await connect(agent, repository);
  expect(other.id).not.toBe(id);
  expect(await call(other.client, 'get_project')).toEqual({ project: 'project_a' });
  expect(await eventsOf(agent)).toEqual(['SessionStarted', 'AttributesChanged']);
});

test('a new transport id for every request: one session throughout', async () => {
  const agent = newUser();
  const ids = new Set<string | undefined>();
  for (let number = 0; number < 10; number++) {
    const setting = await connect(agent, repository);
    await call(setting.client, 'set_project', { project: `project ${number}` });
    const getting = await connect(agent, repository);
    expect(await call(getting.client, 'get_project')).toEqual({ project: `project ${number}` });
    ids.add(setting.id).add(getting.id);
  }
  expect(ids.size).toBe(20);
  const types = await eventsOf(agent);
  expect(types).toEqual(['SessionStarted', ...Array(10).fill('AttributesChanged')]);
});

test('without protocol sessions: agent and repository, or the handle that they got, name the session', async () => {
  const agent = newUser();
  const { client, id } = await connect('any-client');
  expect(id).toBeUndefined();
  await call(client, 'set_project', { agent, repository, project: 'project_b' });
  const { session } = (await call(client, 'open_session', { agent, repository })) as { session: string };

  await server.kill('SIGKILL');
  await startServer();
  const { client: another } = await connect('another-client');
  expect(await call(another, 'get_project', { session })).toEqual({ project: 'project_b' });
  expect(await call(another, 'get_project', { agent, repository })).toEqual({ project: 'project_b' });
  expect(await eventsOf(agent)).toEqual(['SessionStarted', 'AttributesChanged']);

  expect(await call(another, 'get_project')).toEqual({ error: expect.stringContaining('Say whose project') });
  expect(await call(another, 'get_project', { session: 'made up' })).toEqual({
    error: expect.stringContaining('unknown-handle'),
  });
});

test('two agents, and one agent in two repositories, at once: never each other’s', async () => {
  const agents = [newUser(), newUser()].flatMap((agent) => ['/a', '/a/'].map((root) => ({ agent, root })));
  const calls = await Promise.all(
    agents.map(async ({ agent, root }, number) => {
      const { client } = await connect(agent, root);
      const wrong: unknown[] = [];
      for (let turn = 0; turn < 15; turn++) {
        const project = `project ${number} ${turn}`;
        await call(client, 'set_project', { project });
        const named = turn % 2 ? { agent, repository: root } : {};
        const answer = await call(client, 'get_project', named);
        if (!('project' in answer) || answer.project !== project) wrong.push(answer);
      }
      return wrong;
    }),
  );
  expect(calls.flat()).toEqual([]);

  const { client } = await connect(agents[0]!.agent, agents[0]!.root);
  const foreign = await call(client, 'get_project', { agent: agents[2]!.agent, repository: '/a' });
  expect(foreign).toEqual({ error: expect.stringContaining('another session') });
});

test('a connection whose session is over has to connect anew', async () => {
  const agent = newUser();
  const { client } = await connect(agent, repository);
  const { sessionId, epoch } = (await ledgerClient.current({ userId: agent, projectId: repository }))!;
  await ledgerClient.end(sessionId, { epoch, origin: { environment: 'mcp-server' }, reason: 'test' });
  await expect(call(client, 'get_project')).rejects.toMatchObject({ code: 404 });
  expect(await call((await connect(agent, repository)).client, 'get_project')).toEqual({ project: null });
});

test('the ledger is down: the tool says so, and works again when it is back', async () => {
  const agent = newUser();
  const { client } = await connect(agent, repository);
  await call(client, 'set_project', { project: 'project_c' });
  await ledger.stop('SIGKILL');
  expect(await call(client, 'set_project', { project: 'lost' })).toEqual({
    error: expect.stringMatching(/^Nothing was changed\. The session ledger: no answer/),
  });
  expect(
    await call((await connect('any')).client, 'set_project', { agent, repository, project: 'lost' }),
  ).toEqual({
    error: expect.stringMatching(/^Nothing was changed\. The session ledger: no answer/),
  });
  await expect(connect(agent, repository)).rejects.toMatchObject({ code: 503 });
  await ledger.restart();
  expect(await call(client, 'get_project')).toEqual({ project: 'project_c' });
});
