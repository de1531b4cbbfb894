import { accept, type Decision, refuse } from '../decision.js';
import type { Issued } from '../issued.js';
import type { Known } from '../known.js';
import { isPrincipal } from '../rules.js';
import { currentOf, type SessionId } from '../session.js';
import { timerOf } from '../time/timer.js';

/** A sign of use, from the session's principal. Needs no epoch, because it can only lengthen a lease. */
export interface TouchSession extends Issued {
  type: 'TouchSession';
  sessionId: SessionId;
}

export function touch(command: TouchSession, known: Known): Decision {
  const current = currentOf(known);
  if (!current) return refuse('session-ended');
  if (current.sessionId !== command.sessionId) return refuse('stale-session', { current });
  if (!isPrincipal(command, current)) return refuse('not-owner', { current });
  const isRenewable = timerOf(current, command.at)?.renewable;
  if (!isRenewable || current.lease?.renewOn !== 'use') return accept('unchanged', current);
  return { ...accept('renewed', current), renews: true };
}
