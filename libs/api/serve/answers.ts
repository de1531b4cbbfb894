import { type Position, partitionOfSession, type Session } from '#session';
import type { Answered } from '../asked.js';
import type { Answer, Due, Ledger, NotObeyed, Shown, StoredSession } from '../ledger.port.js';
import type { Problem } from '../problems/problem-body.js';
import { attributesTooLarge } from '../request/attributes.js';
import { positionText } from '../request/positions.js';

/** The JSON of a stored session with its attributes, as readers see it. */
export function storedJson({ json, attributes }: StoredSession): string {
  const shown = attributes === 'erased' ? '"erased"' : (attributes ?? '{}');
  return `${json.slice(0, -1)},"attributes":${shown}}`;
}

/** The JSON of a session with the end of its lease, where it has one, and with times that an outage has put off. */
export function leasedJson({ due, ...stored }: StoredSession & { due?: Due }): string {
  const json = storedJson(stored);
  if (!due) return json;
  const session = JSON.parse(json);
  const { leaseUntil, sessionUntil, reservedUntil } = due;
  if (session.lease && leaseUntil) session.lease.expiresAt = leaseUntil;
  if (sessionUntil) session[session.status === 'ending' ? 'drainUntil' : 'expiresAt'] = sessionUntil;
  if (reservedUntil) session.reservedUntil = reservedUntil;
  return JSON.stringify(session);
}

/** A row's JSON, with the event that made it so. */
export function withPosition(json: string, { partition, sequence }: Position): string {
  return `${json.slice(0, -1)},"position":${JSON.stringify({ partition, sequence })}}`;
}

/** The JSON of a session that was read without its attributes, which takes a read of its own. */
export async function readJson(session: Session, tenant: string, { history }: Ledger): Promise<string> {
  const { attributesDigest: digest, sessionId } = session;
  const read = digest && (await history.attributes(partitionOfSession(sessionId), digest, tenant));
  return sessionJson(session, digest && read !== undefined ? new Map([[digest, read]]) : undefined);
}

/** The JSON of a session with its attributes, of those that came with it: one that is missing was erased. */
function sessionJson(session: Session, attributes: Shown | undefined): string {
  const { attributesDigest: digest } = session;
  if (digest === undefined) return storedJson({ json: JSON.stringify(session) });
  return storedJson({ json: JSON.stringify(session), attributes: attributes?.get(digest) ?? 'erased' });
}

/** Answers a command with what came from its commit: nothing is read in between, and nothing can fail it. */
export function answered(answer: Answer): Answered {
  if (answer.kind !== 'accepted') {
    const problem = problemOf(answer);
    return 'position' in answer
      ? { problem, headers: { 'ledger-position': positionText(answer.position) } }
      : { problem };
  }
  const { outcome, position, attributes, current: now, ignored, dropped, retryAfter } = answer;
  const session = sessionJson(answer.session, attributes);
  const current = now === undefined ? '' : `,"current":${now && sessionJson(now, attributes)}`;
  const rest = ignored || dropped ? `,${JSON.stringify({ ignored, dropped }).slice(1, -1)}` : '';
  const headers: Record<string, string> = { 'ledger-position': positionText(position) };
  if (answer.replayed) headers['idempotency-replayed'] = 'true';
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter);
  const retry = retryAfter === undefined ? '' : `,"retryAfter":${retryAfter}`;
  return {
    status: outcome === 'started' ? 201 : 200,
    outcome,
    headers,
    json: `{"outcome":"${outcome}","session":${session}${current}${retry}${rest},"position":${JSON.stringify(position)}}`,
  };
}

/** Why a command was not obeyed. */
export function problemOf(answer: NotObeyed): Problem {
  switch (answer.kind) {
    case 'refused': {
      const { code, current, until, handle, retryAfter } = answer.refusal;
      const shown = current && JSON.parse(sessionJson(current, answer.attributes));
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
