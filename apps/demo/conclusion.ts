import type { EventDocument, Facts, SessionInEvent } from './facts.js';
import type { Call } from './timeline-rows.js';

/** Who is current, and how that came to be. */
export interface Conclusion {
  current: SessionInEvent | undefined;
  /** A sentence for each step, out of the ledger's history. */
  why: string[];
}

export function conclude({ last, history }: Facts, call: Call): Conclusion {
  const current = last.session;
  const steps = history.history?.flatMap((event) => step(event, current, call) ?? []);
  return { current, why: steps ?? [] };
}

function step({ type, data, ignoredstops }: EventDocument, current: SessionInEvent | undefined, call: Call) {
  const { session, sessionId, origin, why, by } = data;
  const isCurrent = session !== undefined && session.sessionId === current?.sessionId;
  const owner = session?.owner?.environment;
  switch (type) {
    case 'session-ledger.SessionStarted.v1':
      return isCurrent ? `${owner} started it: epoch ${session.epoch}` : undefined;
    case 'session-ledger.SessionSuperseded.v1':
      return session && `${by?.environment} superseded ${call(session.sessionId)} of ${owner}`;
    case 'session-ledger.StopIgnored.v1': {
      const times = ignoredstops === 1 ? 'once' : `${ignoredstops} times`;
      return `${origin?.environment} sent a stop for ${call(sessionId ?? '')} ${times}; it was ignored (${why}) and recorded as one event`;
    }
    case 'session-ledger.OwnershipReleased.v1': {
      const to = session?.reservedFor ? ` to ${session.reservedFor.environment}` : '';
      return isCurrent
        ? `${session.previousOwner?.environment} released it${to}: epoch ${session.epoch}`
        : undefined;
    }
    case 'session-ledger.OwnershipClaimed.v1':
      return isCurrent ? `${owner} claimed it: epoch ${session.epoch}` : undefined;
    default:
      return undefined;
  }
}
