import {
  type Agent,
  startToolServer,
  type ToolReply,
  type ToolServer,
} from '../support/processes/tool-servers.js';
import { freshDatabase, startService } from '../support/service.js';
import { newUser } from '../support/sessions.js';

// Several agents work on several repositories through the same tool servers. Scenario 2, "isolation".
const roots = ['/home/ada/site', '/home/ada/site/'];
const agents: Agent[] = [newUser(), newUser()].flatMap((agent) => roots.map((root) => ({ agent, root })));
const CALLS = 250; // of each agent on each repository: 1,000 in all

let servers: [ToolServer, ToolServer];
beforeAll(async () => {
  const databaseUrl = await freshDatabase();
  const replicas = [await startService({ databaseUrl }), await startService({ databaseUrl })];
  servers = [await startToolServer(replicas), await startToolServer(replicas)];
});

/** Sets its project every third time and asks for it in between, each time at the other server. */
async function work(agent: Agent, name: string): Promise<{ asked: string; answered: ToolReply }[]> {
  const calls = [];
  let project = '';
  for (let call = 0; call < CALLS; call++) {
    const server = servers[call % 2] as ToolServer;
    const sets = call % 3 === 0;
    if (sets) project = `${name} ${call}`;
    const answered = await (sets ? server.setProject(agent, project) : server.getProject(agent));
    calls.push({ asked: project, answered });
  }
  return calls;
}

test('two agents on two projects, 1,000 calls at once through two tool servers: never each other’s', async () => {
  const calls = await Promise.all(agents.map((agent, number) => work(agent, `project ${number}`)));
  expect(calls.flat()).toHaveLength(1_000);
  const wrong = calls.flat().filter(({ asked, answered }) => answered.body.project !== asked);
  expect(wrong).toEqual([]);
}, 120_000);

test('an agent that has set no project has none', async () => {
  for (const server of servers) {
    expect(await server.getProject({ agent: newUser(), root: roots[0] as string })).toMatchObject({
      status: 404,
      body: { type: '/problems/no-current-session' },
    });
  }
});
