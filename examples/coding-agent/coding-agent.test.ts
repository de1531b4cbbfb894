import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LedgerClient, type LedgerEvent, NoAnswer, type Session } from '#client';
import { type NodeProcess, spawnNode } from '../../test/support/process.js';
import { type Service, startService } from '../../test/support/service.js';
import { newUser } from '../../test/support/sessions.js';
import { AgentChain } from './chain.js';

const main = fileURLToPath(new URL('../../dist/examples/coding-agent/main.js', import.meta.url));
const fakeAgent = [process.execPath, fileURLToPath(new URL('./fake-agent.js', import.meta.url))];
const projectId = 'site.example/home';

let service: Service;
let ledger: LedgerClient;
let home: string;
let userId: string;
beforeAll(async () => {
  service = await startService();
  ledger = new LedgerClient({ url: service.url });
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'coding-agent-'));
  userId = newUser();
});
afterEach(() => rm(home, { recursive: true }));
afterAll(() => {
  ledger.close();
});

/** One operation in a process of its own. */
function start(operation: string, prompt: string, env: NodeJS.ProcessEnv = {}): NodeProcess {
  const args = [userId, projectId, operation, prompt, '--', ...fakeAgent];
  return spawnNode(main, { args, env: { LEDGER_URL: service.url, FAKE_AGENT_HOME: home, ...env } });
}

/** What the agent knew at the end of an operation: everything that it was asked, a line each. */
async function run(operation: string, prompt: string): Promise<string[]> {
  const process = start(operation, prompt);
  const { code } = await process.exited;
  expect([code, process.errors]).toEqual([0, []]);
  return JSON.parse(process.lines[0] as string).result.split('\n');
}

const current = () => ledger.current({ userId, projectId }) as Promise<Session>;
async function history(): Promise<LedgerEvent[]> {
  const events: LedgerEvent[] = [];
  for await (const event of ledger.history({ userId, projectId })) events.push(event);
  return events;
}
const typesOf = (events: LedgerEvent[]) => events.map(({ type }) => type.split('.')[1]);
/** The ids that the provider has given out. */
const provided = async () => (await readdir(home)).filter((name) => name.length === 36);
/** The provider forgets the session of the last operation. */
const loseLast = async () => {
  const lines = await Promise.all((await provided()).map((id) => readFile(join(home, id), 'utf8')));
  const most = Math.max(...lines.map(({ length }) => length));
  await rm(join(home, (await provided())[lines.findIndex(({ length }) => length === most)] as string));
};

test('build, metadata, compact, each in a process of its own: every one knows all before it', async () => {
  expect(await run('build', 'a shop')).toEqual(['build a shop']);
  expect(await run('metadata_generation', 'titles')).toHaveLength(2);
  expect(await run('compact', 'all')).toEqual(['build a shop', 'metadata_generation titles', 'compact all']);

  const events = await history();
  const rotations = events.filter(({ type }) => type.includes('SessionRotated'));
  const steps = rotations.map(({ data }) => data as Record<'previous' | 'session', Session>);
  expect(steps.map(({ session }) => session.reason)).toEqual(['build', 'metadata_generation', 'compact']);
  expect(new Set(steps.map(({ session }) => session.versionId)).size).toBe(3);
  expect(steps.map(({ previous }) => previous.usage?.cost)).toEqual(Array(3).fill({ EUR: '0.01' }));
  expect(await current()).toMatchObject({ chainLength: 4, sessionId: steps[2]?.session.sessionId });

  // The provider's ids stand in no event and no line of the service; of the session's own there is one left.
  const ids = await provided();
  expect(ids).toHaveLength(3);
  const told = JSON.stringify(events) + service.output();
  expect(ids.filter((id) => told.includes(id))).toEqual([]);
  expect(Object.keys((await current()).attributes as object)).toEqual(['providerSessions']);
  const { providerSessions } = (await current()).attributes as { providerSessions: object };
  expect(Object.keys(providerSessions)).toEqual([(await current()).versionId]);
});

test('the provider has lost the session: the next operation goes on from the one before it', async () => {
  await run('build', 'a shop');
  await run('build', 'a blog');
  await loseLast();
  expect(await run('build', 'a forum')).toEqual(['build a shop', 'build a forum']);
  expect(await run('chat_plan', '?')).toEqual(['build a shop', 'build a forum', 'chat_plan ?']);
  const types = typesOf(await history()).filter((type) => !/Attributes|Usage/.test(type as string));
  expect(types).toEqual([
    ...['SessionStarted', 'SessionRotated', 'SessionRotated'],
    ...['SessionInvalidated', 'SessionStarted'],
    ...['SessionRotated', 'SessionRotated'],
  ]);

  // And two at once, one after the other.
  await loseLast();
  await loseLast();
  expect(await run('build', 'a wiki')).toEqual(['build a shop', 'build a wiki']);
});

test('the very first session is lost, or all details are erased: the agent starts afresh, and it is recorded', async () => {
  await run('build', 'a shop');
  await loseLast();
  expect(await run('build', 'a blog')).toEqual(['build a blog']);
  await ledger.call('eraseDetails', { query: { userId, projectId } });
  expect(await run('build', 'a forum')).toEqual(['build a forum']);
  expect(await current()).toMatchObject({ chainLength: 2 });
  expect(typesOf(await history()).filter((type) => type === 'SessionInvalidated')).toHaveLength(2);
});

test('the provider fails for a moment: nothing is discarded, and it is tried again', async () => {
  await run('build', 'a shop');
  const before = await current();
  await writeFile(join(home, 'overloaded'), '');
  expect(await run('build', 'a blog')).toEqual(['build a shop', 'build a blog']);
  expect(await current()).toMatchObject({ parentId: before.sessionId });
  expect(typesOf(await history())).toContain('InvalidReported');
}, 30_000);

test('a reset forgets the context and begins a chain', async () => {
  await run('build', 'a shop');
  expect(await run('reset', 'anew')).toEqual(['reset anew']);
  expect(await current()).toMatchObject({ chainLength: 1, reason: 'reset' });
});

test('metadata while a build runs: the late one is told who won, and nothing forks', async () => {
  await run('build', 'a shop');
  const late = start('build', 'a blog', { FAKE_AGENT_HOLD: '1' });
  const holding = join(home, 'holding');
  while (!existsSync(holding) && late.child.exitCode === null) await pause(20);
  const before = (await provided()).length;
  expect(await run('metadata_generation', 'titles')).toEqual(['build a shop', 'metadata_generation titles']);
  await rm(holding);
  expect((await late.exited).code).toBe(3);
  expect((await provided()).length).toBe(before + 2);
  expect(late.errors).toEqual([
    `Overtaken by metadata_generation ${(await current()).versionId}: run it again to go on from there.`,
  ]);
  expect(await run('build', 'a blog')).toEqual([
    'build a shop',
    'metadata_generation titles',
    'build a blog',
  ]);
  expect(await current()).toMatchObject({ chainLength: 4 });
});

describe('the wrapper dies between two of its requests', () => {
  /** As if it was killed as soon as the request is to be sent, or was answered. */
  const dying = (at: (path: string, body: string) => boolean, isAnswered: boolean) =>
    new LedgerClient({
      url: service.url,
      deadlineMs: 500,
      async fetch(input, init) {
        const isIt = at(String(input), String(init?.body));
        if (!isIt) return fetch(input, init);
        if (isAnswered) await fetch(input, init).then((answer) => answer.text());
        throw new Error('killed');
      },
    });
  const isRotation = (path: string) => path.endsWith('/rotate');
  const isTidying = (path: string, body: string) => path.endsWith('/attributes') && body.includes('null');

  test.each([
    { when: 'before it rotates', at: isRotation, isAnswered: false, counts: false },
    { when: 'after it has rotated', at: isRotation, isAnswered: true, counts: true },
    { when: 'before it has tidied up', at: isTidying, isAnswered: false, counts: true },
  ])('$when: the operation counts: $counts', async ({ at, isAnswered, counts }) => {
    await run('build', 'a shop');
    const client = dying(at, isAnswered);
    const agent = ['env', `FAKE_AGENT_HOME=${home}`, ...fakeAgent];
    const died = new AgentChain(client, { userId, projectId }, agent).run('build', 'a blog');
    if (at === isRotation) await expect(died).rejects.toBeInstanceOf(NoAnswer);
    else await died;
    client.close();
    const known = ['build a shop', ...(counts ? ['build a blog'] : []), 'build a forum'];
    expect(await run('build', 'a forum')).toEqual(known);
    expect(await current()).toMatchObject({ chainLength: known.length + 1 });
  });
});
