import { fileURLToPath } from 'node:url';
import { ask } from '../http.js';
import { type NodeProcess, spawnNode } from '../process.js';
import type { ProblemBody } from '../sessions.js';

const script = fileURLToPath(new URL('./tool-server.js', import.meta.url));

/** An agent as a tool server knows it: its name, and where its repository is. */
export interface Agent {
  agent: string;
  root: string;
}

/** What an agent is answered with: its project, or what the ledger said instead. */
export interface ToolReply {
  status: number;
  body: { project?: string } & Partial<ProblemBody>;
}

/** The tool server of tool-server.js. It is ended after the test file. */
export interface ToolServer {
  setProject(agent: Agent, project: string): Promise<ToolReply>;
  getProject(agent: Agent): Promise<ToolReply>;
  kill(): Promise<unknown>;
  /** Starts it anew on its port, after `kill`. */
  start(): Promise<void>;
}

/** `idleSeconds`: how long a session lasts that nobody uses; an hour when left out. */
export async function startToolServer(
  ledgers: readonly { url: string }[],
  idleSeconds = 3_600,
): Promise<ToolServer> {
  const addresses = ledgers.map(({ url }) => url).join(',');
  let port = '0';
  let running: NodeProcess;
  const start = async () => {
    running = spawnNode(script, { args: [addresses, port, String(idleSeconds)] });
    port = (await running.waitForLine(/^listening /)).split(' ')[1] as string;
  };
  await start();
  const call = async (tool: string, body: object): Promise<ToolReply> => {
    const reply = await ask<ToolReply['body']>(`http://127.0.0.1:${port}/${tool}`, { body });
    return { status: reply.status, body: reply.body };
  };
  return {
    setProject: (agent, project) => call('set_project', { ...agent, project }),
    getProject: (agent) => call('get_project', agent),
    kill: () => running.kill('SIGKILL'),
    start,
  };
}

/** The scope of an agent, as a query. */
export function scopeOf({ agent, root }: Agent): string {
  return `userId=${encodeURIComponent(agent)}&projectId=${encodeURIComponent(root)}`;
}
