import { type Accepted, type Decision, type Refused, refuse } from '../decision.js';
import type { Issued } from '../issued.js';
import type { Known } from '../known.js';
import { about, acceptFor, carried, gone, isPrincipal, namedBy } from '../rules.js';
import { currentOf, type Session, type SessionId } from '../session.js';
import { addUsage, type Usage } from '../values/usage.js';

/** What an operation used. Needs no epoch and no owner, but its principal: it only adds to the session's sums, also late. */
export interface RecordUsage extends Issued {
  type: 'RecordUsage';
  sessionId: SessionId;
  usage: Usage;
}

export function recordUsage(command: RecordUsage, known: Known): Decision {
  const named = namedBy(command, known);
  if (!named) return gone(known);
  if (!isPrincipal(command, named)) return refuse('not-owner', about(currentOf(known)));
  return addReport(named, command.usage, known);
}

/** Adds a report to a session's sums, also when it has ended; which session is current, and whose, stays so. */
export function addReport(session: Session, report: Usage, known: Known): Accepted | Refused {
  const usage = addUsage(session.usage, report);
  if (typeof usage === 'string') return refuse(usage, about(currentOf(known)));
  const isSeen = session.status !== 'ended';
  const after: Session = { ...session, revision: session.revision + (isSeen ? 1 : 0), usage };
  return acceptFor('recorded', after, known, {
    type: 'UsageRecorded',
    usage: report,
    ...carried(after, known),
  });
}
