import { type AnswerOf, type CommandAnswer, isProblem, type LedgerClient, type Session } from '#client';
import { CommandFailed, exitCodes } from './exit.js';
import { printFields, printJson } from './output.js';

/** The current session, now or then. Throws CommandFailed, which tells of the last one, when none is. */
export async function currentOf(
  ledger: LedgerClient,
  scope: { userId: string; projectId: string; asOf?: string },
): Promise<Session> {
  try {
    const session: AnswerOf<'currentSession'> | undefined = await ledger.call(
      'currentSession',
      { query: scope },
      { deadlineMs: 10_000 },
    );
    if (!session) throw new CommandFailed('the ledger answered without a session');
    return session;
  } catch (error) {
    if (!isProblem(error, 'no-current-session')) throw error;
    const last = error.last?.endedAt
      ? `; the last one ended at ${error.last.endedAt}, ${error.last.endCause}`
      : '';
    throw new CommandFailed(`no session is current${last}`, exitCodes.notFound);
  }
}

/** What a command came to, and the session as it is now. */
export function showAnswer(answer: CommandAnswer, json: boolean | undefined): void {
  if (json) {
    printJson(answer);
    return;
  }
  const { outcome, session, current, position } = answer;
  printFields({
    outcome,
    position: `${position.partition}:${position.sequence}`,
    ...fieldsOf(session),
    'current now': current?.sessionId ?? (current === null ? 'none' : undefined),
  });
}

/** A session's status, and where it says more, what ended it. */
export function inWords({ status, endCause }: Pick<Session, 'status' | 'endCause'>): string {
  return endCause && endCause !== status ? `${status}: ${endCause}` : status;
}

export function fieldsOf(session: Session): Record<string, string | number | undefined> {
  const { owner, lease, attributes } = session;
  return {
    session: session.sessionId,
    status: inWords(session),
    owner: owner && [owner.environment, owner.instance].filter(Boolean).join(' / '),
    epoch: session.epoch,
    revision: session.revision,
    started: session.startedAt,
    'reserved for':
      session.reservedFor && `${session.reservedFor.environment} until ${session.reservedUntil}`,
    lease: lease && `${lease.seconds} s, renewed on ${lease.renewOn}`,
    chain: `${session.chainLength}. from ${session.rootId}`,
    reason: session.reason,
    version: session.versionId,
    attributes: attributes === 'erased' ? attributes : JSON.stringify(attributes),
  };
}
