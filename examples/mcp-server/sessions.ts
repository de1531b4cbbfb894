import { type LedgerClient, type Session } from '#client';

/** Who works where: the scope of a session. */
export interface Agent {
  agent: string;
  /** The root of the repository. */
  repository: string;
}

/** A name for an agent's session: the id of an MCP connection, or one that was given out to be passed around. */
export interface Handle {
  kind: 'mcp-transport' | 'mcp-handle';
  value: string;
}

const owner = { environment: 'mcp-server' };
/** A day without use, and the session is over. */
const lease = { seconds: 86_400, renewOn: 'use', onLapse: 'end' } as const;

/** The sessions of agents. All of it is in the ledger: a server may die, or be one of many. */
export class AgentSessions {
  constructor(private readonly ledger: LedgerClient) {}

  /** The agent's session, made if there is none. When it is answered, `handle` means it, too. */
  async join({ agent, repository }: Agent, handle?: Handle): Promise<Session> {
    const handles = handle ? [{ ...handle, binds: 'scope' as const }] : [];
    const answer = await this.ledger.join({ userId: agent, projectId: repository, owner, lease, handles });
    return answer.session;
  }

  /** The session that a handle means. Rejects with `unknown-handle`, or `session-ended` when it was unused too long. */
  async find(handle: Handle): Promise<Session> {
    return (await this.ledger.call('resolve', { body: { candidates: [handle] } })).session;
  }

  async setProject({ sessionId, epoch }: Session, project: string): Promise<void> {
    const body = { epoch, attributes: { project } };
    await this.ledger.call('changeAttributes', { params: { sessionId }, body });
  }

  /** Undefined when none was set. */
  async getProject({ sessionId }: Session): Promise<string | undefined> {
    const touched = await this.ledger.call('touchSession', { params: { sessionId }, body: {} });
    const { attributes } = touched.session;
    return attributes === 'erased' ? undefined : (attributes.project as string | undefined);
  }
}
