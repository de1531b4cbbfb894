// A tool server for several agents, as a process of its own: it keeps each agent's project in the ledger and
// nothing in its memory. An agent is known by its name and the root of its repository.
//   node tool-server.js <ledger's addresses, with commas> <port, 0 for a free one> <seconds without use>
// POST /set_project {agent, root, project} and POST /get_project {agent, root} are answered with {project},
// or with what the ledger said and its status. Each request goes to the next of the ledger's replicas.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

const [addresses, port, idleSeconds] = process.argv.slice(2);
const replicas = addresses.split(',');
const lease = { seconds: Number(idleSeconds), renewOn: 'use', onLapse: 'end' };
const owner = { environment: 'tool-server' };
let asked = 0;

/** Thrown for an answer that is not 2xx: passed on to the agent as it is. */
class Refused extends Error {
  constructor(status, body) {
    super(body.type);
    Object.assign(this, { status, body });
  }
}

async function ask(path, { method = 'POST', body } = {}) {
  const response = await fetch(replicas[asked++ % replicas.length] + path, {
    method,
    headers: body && { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

const tools = {
  // A session that is made has its project from the first: there is no moment in between.
  async set_project({ agent, root, project }) {
    const attributes = { project };
    const start = { userId: agent, projectId: root, owner, lease, onConflict: 'join', attributes };
    const { outcome, session } = await ask('/v1/sessions', { body: start });
    if (outcome === 'started') return { project: session.attributes.project };
    const path = `/v1/sessions/${session.sessionId}/attributes`;
    const changed = await ask(path, { method: 'PATCH', body: { epoch: session.epoch, attributes } });
    return { project: changed.session.attributes.project };
  },
  async get_project({ agent, root }) {
    const scope = `userId=${encodeURIComponent(agent)}&projectId=${encodeURIComponent(root)}`;
    const { sessionId, attributes } = await ask(`/v1/current?${scope}`, { method: 'GET' });
    await ask(`/v1/sessions/${sessionId}/touch`, { body: {} });
    return { project: attributes.project };
  },
};

const server = createServer(async (request, response) => {
  try {
    response.end(JSON.stringify(await tools[request.url.slice(1)](await json(request))));
  } catch (error) {
    response.statusCode = error.status ?? 502; // 502: the ledger did not answer at all
    response.end(JSON.stringify(error.body ?? { type: String(error) }));
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening ${server.address().port}`));
