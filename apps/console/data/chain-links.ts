import type { Operations, Session } from '#client';
import { call } from './call';

/** What is shown of a link: a chain of 10,000 stays small in memory. */
export type Link = Pick<
  Session,
  | 'sessionId'
  | 'chainLength'
  | 'status'
  | 'endCause'
  | 'reason'
  | 'versionId'
  | 'owner'
  | 'startedAt'
  | 'usage'
  | 'recoveredFrom'
  | 'previousRootId'
  | 'resetAdvised'
> & { isInvalid: boolean };

export interface ChainPart {
  /** From the first that is shown, down to the root. */
  links: Link[];
  /** How many there are, with those that are not read yet. */
  total: number;
  rootId?: string | undefined;
  usage?: Operations['chain']['answer']['usage'];
  next?: string | undefined;
}

/** What is seen first comes soon; then more at a time. */
const [FIRST_PAGE, PAGE] = [100, 500];

/** A chain from a session down, or from the tip of the scope's latest chain: its first page, or `part` and one more. */
export async function readChain(
  { userId, projectId }: Session['scope'],
  from: { sessionId?: string; part?: ChainPart },
  signal: AbortSignal,
): Promise<ChainPart> {
  const { part, sessionId } = from;
  const page = await call('chain', {
    query: {
      ...{ userId, projectId, limit: part ? PAGE : FIRST_PAGE },
      ...(part?.next !== undefined && { after: part.next }),
      ...(!part && sessionId !== undefined && { sessionId }),
    },
    signal,
  });
  const links = [...(part?.links ?? []), ...page.sessions.map(linkOf)];
  const total = page.next === undefined ? links.length : (links[0]?.chainLength ?? 0);
  const rootId = part?.rootId ?? page.sessions[0]?.rootId;
  return { links, total, rootId, usage: page.usage ?? part?.usage, next: page.next };
}

function linkOf(session: Session): Link {
  const { sessionId, chainLength, status, endCause, reason, versionId, owner } = session;
  const { startedAt, usage, recoveredFrom, previousRootId, resetAdvised, invalid } = session;
  return {
    ...{ sessionId, chainLength, status, startedAt, isInvalid: invalid !== undefined },
    ...(endCause && { endCause }),
    ...(reason !== undefined && { reason }),
    ...(versionId !== undefined && { versionId }),
    ...(owner && { owner }),
    ...(usage && { usage }),
    ...(recoveredFrom && { recoveredFrom }),
    ...(previousRootId && { previousRootId }),
    ...(resetAdvised && { resetAdvised }),
  };
}
