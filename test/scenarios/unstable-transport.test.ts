import { randomUUID } from 'node:crypto';
import { ask } from '../support/http.js';
import { type Agent, scopeOf } from '../support/processes/tool-servers.js';
import { freshDatabase, type Service, startService } from '../support/service.js';
import { type CommandBody, type EventsBody, newUser, type ProblemBody } from '../support/sessions.js';

// A client's transport id changes with every request. Scenario 2, "unstable transport".
const REQUESTS = 300;
/** Handles that a scope keeps: see docs/commands.md. */
const KEPT = 32;

let replicas: [Service, Service];
beforeAll(async () => {
  const databaseUrl = await freshDatabase();
  replicas = [await startService({ databaseUrl }), await startService({ databaseUrl })];
});

const handle = (value: string) => ({ kind: 'mcp-transport', value });
const at = (request: number) => replicas[request % 2]?.url;

/** A request of an agent on a transport: joins its session, or makes it, and binds the transport to it. */
const request = async ({ agent, root }: Agent, transport: string, number: number) => {
  const body = {
    userId: agent,
    projectId: root,
    owner: { environment: 'tool-server' },
    onConflict: 'join',
    handles: [{ ...handle(transport), binds: 'scope' }],
    attributes: { project: `of ${agent}` },
  };
  const reply = await ask<CommandBody>(`${at(number)}/v1/sessions`, { body });
  return { status: reply.status, session: reply.body.session };
};

/** The session that a transport means, or why it means none; the same at both replicas. */
async function resolved(transport: string): Promise<string> {
  const answers = await Promise.all(
    replicas.map(async ({ url }) => {
      const { status, body } = await ask<CommandBody & ProblemBody>(`${url}/v1/resolve`, {
        body: { candidates: [handle(transport)] },
      });
      return status === 200 ? body.session.sessionId : `${status} ${body.type}`;
    }),
  );
  expect(answers[1]).toBe(answers[0]);
  return answers[0] as string;
}

/** One agent's requests, one after the other, each on a transport of its own. */
async function work(agent: Agent) {
  const transports = Array.from({ length: REQUESTS }, () => randomUUID());
  const answers = [];
  for (const [number, transport] of transports.entries()) {
    answers.push(await request(agent, transport, number));
  }
  return { agent, transports, answers };
}

test('a new transport id on every request of two agents: one session each, and the last 32 ids mean it', async () => {
  const agents = [newUser(), newUser()].map((agent): Agent => ({ agent, root: '/home/ada/site' }));
  const worked = await Promise.all(agents.map(work));
  const ids = worked.map(({ answers }) => answers[0]?.session.sessionId);
  expect(ids[0]).not.toBe(ids[1]);

  for (const [index, { agent, transports, answers }] of worked.entries()) {
    expect(answers.map(({ status }) => status)).toEqual([201, ...Array(REQUESTS - 1).fill(200)]);
    expect(new Set(answers.map(({ session }) => session.sessionId))).toEqual(new Set([ids[index]]));
    expect(new Set(answers.map(({ session }) => JSON.stringify(session.attributes)))).toEqual(
      new Set([JSON.stringify({ project: `of ${agent.agent}` })]),
    );

    const meant = await Promise.all(transports.map(resolved));
    expect(meant.slice(0, -KEPT)).toEqual(Array(REQUESTS - KEPT).fill('404 /problems/unknown-handle'));
    expect(meant.slice(-KEPT)).toEqual(Array(KEPT).fill(ids[index]));

    const { body } = await ask<EventsBody>(`${replicas[0].url}/v1/events?${scopeOf(agent)}`);
    expect(body.events.map(({ type }) => type)).toEqual(['session-ledger.SessionStarted.v1']);
  }
});
