import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../support/http.js';
import {
  type Agent,
  scopeOf,
  startToolServer,
  type ToolReply,
  type ToolServer,
} from '../support/processes/tool-servers.js';
import { contains, startProxy, type TcpProxy } from '../support/proxy.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, type EventsBody, newUser, type ProblemBody } from '../support/sessions.js';

// A tool server keeps nothing in its memory: it may die, and so may the ledger. Scenario 2, "restart".
const newAgent = (): Agent => ({ agent: newUser(), root: '/home/ada/site' });
const current = ({ url }: Service, agent: Agent) =>
  ask<CommandBody['session'] & Pick<ProblemBody, 'last'>>(`${url}/v1/current?${scopeOf(agent)}`);
const typesOf = async ({ url }: Service, agent: Agent) => {
  const { body } = await ask<EventsBody>(`${url}/v1/events?${scopeOf(agent)}`);
  return body.events.map(({ type }) => type.split('.')[1]);
};

describe('the tool server and the ledger are killed', () => {
  let ledger: Service;
  let server: ToolServer;
  beforeAll(async () => {
    ledger = await startService();
    server = await startToolServer([ledger]);
  });

  const killBoth = async () => {
    await Promise.all([ledger.stop('SIGKILL'), server.kill()]);
    await ledger.restart();
    await server.start();
  };

  test('the project that was set is there, in the same session', async () => {
    const agents = [newAgent(), newAgent()];
    for (const [number, agent] of agents.entries()) {
      expect((await server.setProject(agent, `project ${number}`)).status).toBe(200);
    }
    const before = await Promise.all(agents.map((agent) => current(ledger, agent)));
    await killBoth();
    for (const [number, agent] of agents.entries()) {
      expect((await server.getProject(agent)).body).toEqual({ project: `project ${number}` });
    }
    const after = await Promise.all(agents.map((agent) => current(ledger, agent)));
    expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body));
  });

  test('in the middle of setting projects: the last one that was acknowledged is there, or one asked for since', async () => {
    const agents = Array.from({ length: 8 }, newAgent);
    const acknowledged = agents.map(() => -1);
    let isOver = false;
    const setting = agents.map(async (agent, number) => {
      for (let project = 0; !isOver; project++) {
        const reply = await server.setProject(agent, String(project)).catch(() => undefined);
        if (reply?.status !== 200) return; // its answer never came: one was asked for since
        acknowledged[number] = project;
      }
    });
    while (Math.min(...acknowledged) < 5) await pause(10);
    await killBoth();
    isOver = true;
    await Promise.all(setting);
    for (const [number, agent] of agents.entries()) {
      const { body } = await server.getProject(agent);
      const last = acknowledged[number] as number;
      expect([last, last + 1]).toContain(Number(body.project));
    }
  });
});

test('a session that is used stays, one that nobody uses expires, and the next one is another', async () => {
  const ledger = await startService();
  const server = await startToolServer([ledger], 2);
  const agent = newAgent();
  await server.setProject(agent, 'first');
  const { sessionId } = (await current(ledger, agent)).body;
  for (let uses = 0; uses < 4; uses++) {
    await pause(1_000);
    expect((await server.getProject(agent)).body).toEqual({ project: 'first' });
  }
  const unusedSince = performance.now();
  let answer = await current(ledger, agent);
  while (answer.status === 200 && performance.now() < unusedSince + 10_000) {
    await pause(50);
    answer = await current(ledger, agent);
  }
  expect(performance.now() - unusedSince).toBeGreaterThan(1_900);
  expect(answer.body.last).toMatchObject({ sessionId, endCause: 'expired' });
  expect((await server.getProject(agent)).status).toBe(404);
  await server.setProject(agent, 'second');
  expect((await current(ledger, agent)).body.sessionId).not.toBe(sessionId);
  expect(await typesOf(ledger, agent)).toEqual(['SessionStarted', 'SessionExpired', 'SessionStarted']);
});

describe('the database fails while sessions are made', () => {
  let proxy: TcpProxy;
  let ledger: Service;
  let server: ToolServer;
  beforeAll(async () => {
    const url = await freshDatabase();
    const { hostname: host, port } = new URL(url);
    proxy = await startProxy({ target: { host, port: Number(port) } });
    ledger = await startService({ databaseUrl: proxy.reroute(url) });
    server = await startToolServer([ledger]);
  });
  afterEach(() => proxy.heal());
  afterAll(() => proxy.close());

  /** Heals the database, and waits until the ledger has it again. */
  const heal = async () => {
    proxy.heal();
    const until = performance.now() + 10_000;
    while ((await ask(`${ledger.url}/health/ready`)).status !== 200 && performance.now() < until)
      await pause(20);
  };

  /** Nothing at all, or the whole session with its project; never anything between. */
  async function stateOf(agent: Agent): Promise<'nothing' | 'whole' | object> {
    const [{ status, body }, types] = await Promise.all([current(ledger, agent), typesOf(ledger, agent)]);
    if (status === 404 && body.last === undefined && types.length === 0) return 'nothing';
    const named = await ask(`${ledger.url}/v1/sessions/${body.sessionId}`);
    const isWhole =
      status === 200 &&
      JSON.stringify(body.attributes) === '{"project":"mine"}' &&
      types.join() === 'SessionStarted' &&
      JSON.stringify(named.body) === JSON.stringify({ ...body, refusals: [] });
    return isWhole ? 'whole' : { status, body, types, named };
  }

  /** What a creation may have left behind, by what its agent was told. */
  const possible = ({ status, body }: ToolReply): string[] => {
    if (status === 200) return ['whole'];
    expect([status, body.retryable]).toEqual([503, true]);
    return body.type === '/problems/unknown-outcome' ? ['nothing', 'whole'] : ['nothing'];
  };

  interface Creation {
    agent: Agent;
    reply: ToolReply;
  }
  const create = (agents: Agent[]): Promise<Creation[]> =>
    Promise.all(agents.map(async (agent) => ({ agent, reply: await server.setProject(agent, 'mine') })));

  /** Each agent has what it was told, or nothing; and asking again makes it whole, with nothing left behind. */
  async function expectNothingHalfMade(creations: Creation[]): Promise<void> {
    await heal();
    for (const { agent, reply } of creations) expect(possible(reply)).toContain(await stateOf(agent));
    await create(creations.map(({ agent }) => agent));
    for (const { agent } of creations) expect(await stateOf(agent)).toBe('whole');
  }

  const [readAnswer, commitAnswer] = [contains('try_heads'), contains('commit\0')];
  test.each([
    { how: 'is gone', fail: () => proxy.cut(), status: 503 },
    { how: 'does not answer', fail: () => proxy.swallowReplies(), status: 503 },
    {
      how: 'breaks off before anything is decided',
      fail: () => proxy.dropNextReplies(1, readAnswer),
      status: 503,
    },
    {
      how: 'breaks off while it commits',
      fail: () => proxy.dropNextReplies(1, commitAnswer),
      status: 200,
    },
  ])('it $how: answered $status', async ({ fail, status }) => {
    const agents = [newAgent()];
    fail();
    const creations = await create(agents);
    expect(creations.map(({ reply }) => reply.status)).toEqual([status]);
    await expectNothingHalfMade(creations);
  });
});
