import { ask } from '../support/http.js';
import { type Agent, scopeOf } from '../support/processes/tool-servers.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, type EventsBody, newUser } from '../support/sessions.js';

// Everybody asks first: get-or-create by a stable key, over two replicas at once. Scenario 2, "race".
let replicas: [Service, Service];
beforeAll(async () => {
  const databaseUrl = await freshDatabase();
  replicas = [await startService({ databaseUrl }), await startService({ databaseUrl })];
});

const FIRST_REQUESTS = 200;
const newAgent = (): Agent => ({ agent: newUser(), root: '/home/ada/work/site.v2' });

/** One process's first request for an agent's session. */
const join = ({ agent, root }: Agent, index: number) =>
  ask<CommandBody>(`${replicas[index % 2]?.url}/v1/sessions`, {
    body: {
      userId: agent,
      projectId: root,
      owner: { environment: 'tool-server', instance: `process-${index}` },
      onConflict: 'join',
    },
  });

/** The sessions that an agent has by everything that can be asked, and how it came to them. */
async function seenBy(agent: Agent, answers: Awaited<ReturnType<typeof join>>[]) {
  const read = <Body>(path: string) =>
    Promise.all(replicas.map(({ url }) => ask<Body>(`${url}${path}?${scopeOf(agent)}`)));
  const current = await read<CommandBody['session']>('/v1/current');
  const histories = await read<EventsBody>('/v1/events');
  const count = (status: number, outcome: string) =>
    answers.filter((one) => one.status === status && one.body.outcome === outcome).length;
  return {
    started: count(201, 'started'),
    joined: count(200, 'joined'),
    ids: new Set([
      ...answers.map(({ body }) => body.session.sessionId),
      ...current.map(({ body }) => body.sessionId),
      ...histories.flatMap(({ body }) =>
        body.events.map(({ data }) => (data as unknown as Started).session.sessionId),
      ),
    ]),
    events: histories.map(({ body }) => body.events.map(({ type }) => type)),
  };
}
interface Started {
  session: { sessionId: string };
}

const oneSession = {
  started: 1,
  joined: FIRST_REQUESTS - 1,
  ids: expect.objectContaining({ size: 1 }),
  events: [['session-ledger.SessionStarted.v1'], ['session-ledger.SessionStarted.v1']],
};

test('200 first requests for one agent make one session, and 199 join it', async () => {
  const agent = newAgent();
  const asked = Array.from({ length: FIRST_REQUESTS }, (_, index) => join(agent, index));
  expect(await seenBy(agent, await Promise.all(asked))).toEqual(oneSession);
});

test("so do 200 for each of five agents at once, and no agent gets another one's", async () => {
  const agents = Array.from({ length: 5 }, newAgent);
  // In turns, so that all agents' requests are under way at the same time.
  const asked: ReturnType<typeof join>[][] = agents.map(() => []);
  for (let index = 0; index < FIRST_REQUESTS; index++) {
    for (const [number, agent] of agents.entries()) asked[number]?.push(join(agent, index));
  }
  const seen = await Promise.all(
    agents.map(async (agent, number) => seenBy(agent, await Promise.all(asked[number] ?? []))),
  );
  expect(seen).toEqual(agents.map(() => oneSession));
  expect(new Set(seen.flatMap(({ ids }) => [...ids])).size).toBe(agents.length);
});
