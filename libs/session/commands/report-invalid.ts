import { continuing, newRootAfter, successorOf } from '../chain.js';
import { accept, type Decision, refuse } from '../decision.js';
import type { ByOwner } from '../issued.js';
import type { Known } from '../known.js';
import {
  about,
  acceptBeside,
  acceptFor,
  carried,
  ended,
  fenced,
  gone,
  isOwner,
  namedBy,
  owned,
  wasOwner,
} from '../rules.js';
import { currentOf, epochOf, type Session, type SessionId } from '../session.js';

/** The session's provider will not continue it. */
export interface ReportInvalid extends ByOwner {
  type: 'ReportInvalid';
  /** `transient`: it may yet; then nothing is discarded. */
  certainty: 'definite' | 'transient';
  reason: string;
  /** What to go on from; `latest-valid` starts fresh, too, when there is none. */
  fallback: 'latest-valid' | 'start-fresh';
  /** The id that the session in its place gets. */
  successorId: SessionId;
}

/** How many seconds after a failure that may pass the session should be tried again. */
const RETRY_SECONDS = 5;

export function reportInvalid(command: ReportInvalid, known: Known): Decision {
  if (command.epoch > epochOf(known)) return refuse('future-epoch', about(currentOf(known))); // 14
  if (command.certainty === 'transient') return reportTransient(command, known);
  const named = namedBy(command, known);
  if (!named) return gone(known);
  return named.status === 'ended' ? markInvalid(command, named, known) : recover(command, known);
}

/** Recorded once per session, epoch and reason; the answer is the same every time. 12 */
function reportTransient(command: ReportInvalid, known: Known): Decision {
  const current = owned(command, known);
  if ('refusal' in current) return current;
  const retryAfter = RETRY_SECONDS;
  const told = { ...accept('reported', current), retryAfter };
  if (known.reported) return told;
  const { reason } = command;
  return { ...told, events: [{ type: 'InvalidReported', session: current, reason, retryAfter }] };
}

/** A session that has ended stays as it ended; but no recovery will choose it. 12 */
function markInvalid(command: ReportInvalid, named: Session, known: Known): Decision {
  const recovered = named.endCause === 'invalid' && known.pastSuccessor;
  if (recovered) return acceptBeside('already-recovered', recovered, known);
  if (!wasOwner(command, named, command.owner)) return refuse('not-owner', about(currentOf(known)));
  if (named.invalid) return acceptFor('unchanged', named, known);
  const session: Session = { ...named, invalid: { at: command.at, reason: command.reason } };
  return acceptFor('marked-invalid', session, known, {
    type: 'SessionInvalidated',
    ...carried(session, known),
  });
}

/** Ends the current session, and lets the same owner go on from the latest valid one before it, or afresh. 12 */
function recover(command: ReportInvalid, known: Known): Decision {
  const current = fenced(command, known);
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current });
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });

  const { at, reason, successorId } = command;
  const invalid: Session = { ...ended(current, at, 'invalid'), invalid: { at, reason }, successorId };
  const valid = command.fallback === 'start-fresh' ? undefined : known.lastValid;
  const next = (valid ? successorOf : newRootAfter)(current, successorId, at);
  next.revision = invalid.revision + 1;
  const { session, changes } = valid ? continuing(valid, next, known) : { session: next, changes: [] };
  const accepted = accept(
    valid ? 'recovered' : 'started-fresh',
    session,
    { type: 'SessionInvalidated', session: invalid },
    { type: 'SessionStarted', session, insteadOf: current.sessionId },
  );
  return { ...accepted, handles: changes };
}
