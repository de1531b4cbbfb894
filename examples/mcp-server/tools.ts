import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { LedgerError, type Session } from '#client';
import type { AgentSessions } from './sessions.js';

/** How a call says whose it is when its connection does not. */
const who = {
  session: z.string().max(64).optional().describe('What open_session gave'),
  agent: z.string().max(256).optional().describe('Your name, together with repository'),
  repository: z.string().max(256).optional().describe('The root of your repository, together with agent'),
};
type Who = { [Name in keyof typeof who]?: string | undefined };

/**
 * The tools for one request. `connection` is the session of the connection that it came on, if that has one.
 * What a tool throws becomes its error, for the agent to read.
 */
export function toolsFor(sessions: AgentSessions, connection?: Promise<Session>): McpServer {
  const server = new McpServer({ name: 'projects', version: '1.0.0' });

  async function named({ session, agent, repository }: Who): Promise<Session | undefined> {
    if (session) return sessions.find({ kind: 'mcp-handle', value: session });
    return agent && repository ? sessions.join({ agent, repository }) : undefined;
  }

  /** The session that a call means: what it names, and what its connection is bound to, have to agree. */
  async function meant(call: Who): Promise<Session> {
    const [explicit, bound] = [await named(call), await connection];
    const session = explicit ?? bound;
    if (!session) throw new Error('Say whose project: pass `session`, or `agent` and `repository`.');
    if (bound && bound.sessionId !== session.sessionId)
      throw new Error('This connection belongs to another session than the one that the call names.');
    return session;
  }

  server.registerTool(
    'set_project',
    {
      description: 'Bind a project to your session',
      inputSchema: { project: z.string().max(1_000), ...who },
    },
    async ({ project, ...call }) => {
      await explained(sessions.setProject(await explained(meant(call)), project), true);
      return text(`The project is ${project}.`, { project });
    },
  );

  server.registerTool(
    'get_project',
    { description: 'The project that is bound to your session', inputSchema: who },
    async (call) => {
      const project = await explained(meant(call).then((session) => sessions.getProject(session)));
      return text(project ? `The project is ${project}.` : 'No project is set.', {
        project: project ?? null,
      });
    },
  );

  server.registerTool(
    'open_session',
    {
      description: 'Get a handle for your session, to pass as `session` from anywhere',
      inputSchema: { agent: z.string().max(256), repository: z.string().max(256) },
    },
    async (agent) => {
      const value = randomUUID();
      await explained(sessions.join(agent, { kind: 'mcp-handle', value }));
      return text(`The session is ${value}.`, { session: value });
    },
  );

  return server;
}

function text(sentence: string, structuredContent: Record<string, unknown>) {
  return { content: [{ type: 'text' as const, text: sentence }], structuredContent };
}

/** Says in the error what the agent needs to know: whether anything was changed. */
async function explained<T>(work: Promise<T>, changes = false): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const isUnknown = changes && error.outcomeUnknown;
    const effect = isUnknown ? 'It may have been done: look before you repeat it' : 'Nothing was changed';
    throw new Error(`${effect}. The session ledger: ${error.message}`);
  }
}
