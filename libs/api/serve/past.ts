import { type Position, parseScopeKey, type Session } from '#session';
import type { Ledger, ScopePlace, StoredSession } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { asOfQuery } from '../request/positions.js';

/** A scope's latest session as it was then. */
export interface PastSession extends StoredSession {
  session: Session;
  /** Of the event that made it so. */
  position: Position;
  /** Sequence of the scope's last event then. */
  until: number;
}

/**
 * What a scope's readers got then; undefined when it had no session yet. Throws `invalid-request` for a future, or for
 * another partition's position.
 */
export async function pastOf(
  scope: ScopePlace,
  text: string,
  { history }: Ledger,
): Promise<PastSession | undefined> {
  const past = await history.asOf(scope, asOfQuery(text, scope.partition));
  if (past.future) {
    throw new ProblemError('invalid-request', 'query.asOf is in the future');
  }
  if (past.session === undefined) return undefined;
  const { session, position, until } = past;
  const found = { session, position, until, json: JSON.stringify(session) };
  const { attributesDigest: digest } = session;
  if (digest === undefined) return found;
  const { tenant } = parseScopeKey(scope.scopeKey);
  return { ...found, attributes: (await history.attributes(scope.partition, digest, tenant)) ?? 'erased' };
}
