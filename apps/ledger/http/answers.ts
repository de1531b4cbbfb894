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

/** As `latestJson`, with the end of its lease where it has one. */
export function leasedJson(latest: Latest): string {
  const session = JSON.parse(latestJson(latest));
  if (session.lease && latest.leaseUntil) session.lease.expiresAt = latest.leaseUntil;
  return JSON.stringify(session);
}

/** Shows sessions with their attributes, which are read when the caller did not bring them. */
export class Presenter {
  constructor(private readonly history: History) {}

  /** `known`: attributes that the command itself brought, by their digest. */
  async session(session: Session, known?: { digest: string; body: string }): Promise<string> {
    const { attributesDigest } = session;
    const json = JSON.stringify(session);
    if (attributesDigest === undefined) return sessionJson(json, undefined);
    if (known?.digest === attributesDigest) return sessionJson(json, known.body);
    const partition = partitionOfSession(session.sessionId);
    return sessionJson(json, (await this.history.attributes(partition, attributesDigest)) ?? 'erased');
  }

  /** Answers a command. */
  async answer(reply: FastifyReply, answer: Answer, known?: { digest: string; body: string }): Promise<void> {
    switch (answer.kind) {
      case 'accepted': {
        const { outcome, position } = answer;
        const session = await this.session(answer.session, known);
        const { current: now, ignored, dropped } = answer;
        const current = now === undefined ? '' : `,"current":${now && (await this.session(now))}`;
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
        sendProblem(reply, await this.problem(answer));
    }
  }

  /** Why a command was not obeyed. */
  async problem(answer: Exclude<Answer, { kind: 'accepted' }>): Promise<Problem> {
    switch (answer.kind) {
      case 'refused': {
        const { code, current, until, handle } = answer.refusal;
        const shown = current && JSON.parse(await this.session(current));
        return {
          code,
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
}
