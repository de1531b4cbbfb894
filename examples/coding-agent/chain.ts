import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LedgerClient, Session } from '#client';
import { type Outcome, runAgent } from './agent.js';

/** The agent failed, and not because of its session; or again and again. */
export class AgentFailed extends Error {
  override readonly name = 'AgentFailed';
}

export interface Finished {
  result: string;
  /** The session that goes on from here. */
  session: Session;
}

type Done = Extract<Outcome, { kind: 'done' }>;
type Certainty = 'definite' | 'transient';
type Fallback = 'latest-valid' | 'start-fresh';

const owner = { environment: 'coding-agent' };
/** The context of such a chain is worth little: it says `resetAdvised`. */
const policy = { adviseAt: 50 };
const MOST_ATTEMPTS = 4;
const MOST_STEPS_BACK = 100;

/**
 * Runs a coding agent on a project so that every operation continues the last one that was recorded. The ledger's
 * session says which that is; the provider's ids of sessions are kept in its attributes, by version.
 */
export class AgentChain {
  constructor(
    private readonly ledger: LedgerClient,
    private readonly scope: { userId: string; projectId: string },
    private readonly command: readonly string[],
  ) {}

  /**
   * Runs one operation, such as build, metadata_generation, compact or chat_plan; `reset` forgets the context.
   * Rejects with AgentFailed, or with `stale-session` when another operation was recorded meanwhile: that one is
   * the error's `current`, and the work of this one continued something older.
   */
  async run(operation: string, prompt: string): Promise<Finished> {
    let { session } = await this.ledger.join({ ...this.scope, owner, policy });
    for (let attempt = 1; ; attempt++) {
      const origin = await this.#originOf(session);
      const resume = operation === 'reset' ? undefined : providerSessionOf(origin);
      const outcome: Outcome =
        resume === 'forgotten'
          ? { kind: 'invalid' }
          : await runAgent(this.command, { operation, prompt, resume });
      if (outcome.kind === 'done' && outcome.session === resume) return this.#stay(session, outcome);
      if (outcome.kind === 'done') return this.#record(session, operation, outcome);
      if (outcome.kind === 'failed') throw new AgentFailed(outcome.why);
      if (attempt === MOST_ATTEMPTS) throw new AgentFailed(`${outcome.kind} ${attempt} times`);
      const certainty = outcome.kind === 'invalid' ? 'definite' : 'transient';
      const fallback = resume === 'forgotten' ? 'start-fresh' : 'latest-valid';
      session = await this.#report(session, certainty, fallback);
    }
  }

  /** The session whose context this one continues: itself, unless a recovery made it. */
  async #originOf(session: Session): Promise<Session> {
    let one = session;
    for (let steps = 0; one.recoveredFrom !== undefined && steps < MOST_STEPS_BACK; steps++) {
      one = await this.ledger.session(one.recoveredFrom);
    }
    return one;
  }

  /**
   * First the provider's id, under a version that only this operation has; then the rotation, which decides whether
   * it counts and hands the attributes on. Whoever dies in between, or loses, leaves an id that no session points to.
   */
  async #record(session: Session, operation: string, done: Done): Promise<Finished> {
    const versionId = randomUUID();
    await this.#change(session, { [versionId]: done.session });
    const { sessionId, epoch } = session;
    const rotated = await this.ledger.call('rotateSession', {
      params: { sessionId },
      body: {
        ...{ epoch, owner, versionId, reason: operation },
        successorHandle: { kind: 'provider-session', value: done.session },
        ...(done.usage && { usage: done.usage }),
      },
    });
    if (rotated.outcome === 'rotated') await this.#tidy(rotated.session, versionId).catch(() => {});
    return { result: done.result, session: rotated.session };
  }

  /** What was left behind until the rotation. Whoever overtakes this tidies up as well. */
  async #tidy(session: Session, versionId: string): Promise<void> {
    const others = Object.keys(providerSessions(session)).filter((one) => one !== versionId);
    await this.#change(session, Object.fromEntries(others.map((one) => [one, null])));
  }

  /** An agent that goes on under the same id needs no other session. */
  async #stay(session: Session, { result, usage }: Done): Promise<Finished> {
    const params = { sessionId: session.sessionId };
    if (usage) await this.ledger.call('recordUsage', { params, body: { usage } });
    return { result, session };
  }

  async #change(
    { sessionId, epoch }: Session,
    providerSessions: Record<string, string | null>,
  ): Promise<void> {
    const body = { epoch, owner, attributes: { providerSessions } };
    await this.ledger.call('changeAttributes', { params: { sessionId }, body });
  }

  /** Tells the ledger of a failure; resolves to the session to try again with, when it is time to. */
  async #report({ sessionId, epoch }: Session, certainty: Certainty, fallback: Fallback = 'latest-valid') {
    const reason = certainty === 'definite' ? 'the provider does not know it' : 'the provider failed';
    const body = { epoch, owner, certainty, reason, fallback };
    const answer = await this.ledger.call('reportInvalid', { params: { sessionId }, body });
    await pause((answer.retryAfter ?? 0) * 1_000);
    return answer.current ?? answer.session;
  }
}

/** The provider's id of a session; undefined when the agent begins there, `forgotten` when it was erased. */
function providerSessionOf(session: Session): string | 'forgotten' | undefined {
  return session.versionId && (providerSessions(session)[session.versionId] ?? 'forgotten');
}

/** By version. */
function providerSessions({ attributes }: Session): Record<string, string> {
  if (attributes === 'erased') return {};
  return (attributes.providerSessions ?? {}) as Record<string, string>;
}
