import type { FastifyReply } from 'fastify';
import { type Answer, type History, type Latest, partitionOfSession } from '#log';
import { attributesTooLarge, type Problem } from '#protocol';
import type { Session } from '#session';
import { sendProblem } from './problems.filter.js';

/** The JSON of a session with its attributes, as readers see it. `json` is the session's own. */
export function sessionJson(json: string, attributes: string | 'erased' | undefined): string {
  const shown = attributes === 'erased' ? '"erased"' : (attributes ?? '{}');
  return `${json.slice(0, -1)},"attributes":${shown}}`;
}

/** The JSON of a stored latest session. */
export function latestJson({ json, attributes }: Latest): string {
  return sessionJson(json, attributes);
}

/** As `latestJson`, with the end of its lease where it has one, and with times that an outage has put off. */
export function leasedJson(latest: Latest): string {
  const session = JSON.parse(latestJson(latest));
  const { leaseUntil, sessionUntil, reservedUntil } = latest.due ?? {};
  if (session.lease && leaseUntil) session.lease.expiresAt = leaseUntil;
  if (sessionUntil) session[session.status === 'ending' ? 'drainUntil' : 'expiresAt'] = sessionUntil;
  if (reservedUntil) session.reservedUntil = reservedUntil;
  return JSON.stringify(session);
}

/** Shows sessions that were read, with their attributes, which takes a read of its own. */
export class Presenter {
  constructor(private readonly history: History) {}

  async session(session: Session): Promise<string> {
    const { attributesDigest: digest, sessionId } = session;
    const read = digest && (await this.history.attributes(partitionOfSession(sessionId), digest));
    return withAttributes(session, digest && read !== undefined ? new Map([[digest, read]]) : undefined);
  }
}

/** The JSON of a session with its attributes, of those that came with it: one that is missing was erased. */
function withAttributes(session: Session, attributes: ReadonlyMap<string, string> | undefined): string {
  const { attributesDigest: digest } = session;
  const json = JSON.stringify(session);
  return sessionJson(json, digest === undefined ? undefined : (attributes?.get(digest) ?? 'erased'));
}

/** Answers a command with what came from its commit: nothing is read in between, and nothing can fail it. */
export function sendAnswer(reply: FastifyReply, answer: Answer): void {
  switch (answer.kind) {
    case 'accepted': {
      const { outcome, position, attributes, current: now, ignored, dropped } = answer;
      const session = withAttributes(answer.session, attributes);
      const current = now === undefined ? '' : `,"current":${now && withAttributes(now, attributes)}`;
      const rest = ignored || dropped ? `,${JSON.stringify({ ignored, dropped }).slice(1, -1)}` : '';
      reply
        .code(outcome === 'started' ? 201 : 200)
        .header('content-type', 'application/json')
        .header('ledger-position', `${position.partition}:${position.sequence}`);
      if (answer.replayed) reply.header('idempotency-replayed', 'true');
      if (answer.retryAfter !== undefined) reply.header('retry-after', answer.retryAfter);
      const retry = answer.retryAfter === undefined ? '' : `,"retryAfter":${answer.retryAfter}`;
      reply.send(
        `{"outcome":"${outcome}","session":${session}${current}${retry}${rest},"position":${JSON.stringify(position)}}`,
      );
      return;
    }
    default:
      if ('position' in answer) {
        reply.header('ledger-position', `${answer.position.partition}:${answer.position.sequence}`);
      }
      sendProblem(reply, problemOf(answer));
  }
}

/** Why a command was not obeyed. */
export function problemOf(answer: Exclude<Answer, { kind: 'accepted' }>): Problem {
  switch (answer.kind) {
    case 'refused': {
      const { code, current, until, handle, retryAfter } = answer.refusal;
      const shown = current && JSON.parse(withAttributes(current, answer.attributes));
      return {
        code,
        retryAfter,
        more: { ...(until && { until }), ...(handle && { handle }), ...(shown && { current: shown }) },
      };
    }
    case 'attributes-too-large':
      return attributesTooLarge(answer.bytes) ?? { code: 'invalid-attributes' };
    case 'unknown-session':
    case 'key-reused':
      return { code: answer.kind };
    default:
      return answer satisfies never;
  }
}
