import { accept, type Decision } from '../decision.js';
import type { Issued } from '../issued.js';
import type { Known } from '../known.js';
import { missing } from '../rules.js';
import type { SessionId } from '../session.js';

/** From the reaper: if the session's time is over, let the log say so. */
export interface SettleSession extends Issued {
  type: 'SettleSession';
  sessionId: SessionId;
}

/** What time has brought about comes before any command; this one asks for nothing else. */
export function settled(command: SettleSession, known: Known): Decision {
  return accept('settled', known.past ?? known.latest ?? missing(command.type));
}
