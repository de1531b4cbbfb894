import { type History, type ScopePlace, TimeTravel } from '#log';
import { asOfQuery, ProblemError } from '#protocol';
import type { Session } from '#session';
import { type Position } from '#session';

/** A scope's latest session as it was then. */
export interface PastSession {
  session: Session;
  /** What it had then; `erased` when that has been forgotten since. */
  attributes?: string | 'erased';
  /** Of the event that made it so. */
  position: Position;
  /** Sequence of the scope's last event then. */
  until: number;
}

/** Answers what readers got in the past. */
export class PastReader {
  constructor(
    private readonly travel: TimeTravel,
    private readonly history: History,
  ) {}

  /** Undefined when the scope had no session yet. Throws `invalid-request` for a future, or for another partition's position. */
  async read({ scopeKey, partition }: ScopePlace, asOf: string): Promise<PastSession | undefined> {
    const past = await this.travel.session(scopeKey, partition, asOfQuery(asOf, partition));
    if (past.future) {
      throw new ProblemError(
        'invalid-request',
        'query.asOf is in the future: nobody knows what will be current',
      );
    }
    if (past.session === undefined) return undefined;
    const { session, position, until } = past;
    const { attributesDigest: digest } = session;
    if (digest === undefined) return { session, position, until };
    const attributes = (await this.history.attributes(partition, digest)) ?? 'erased';
    return { session, position, until, attributes };
  }
}
