import { type Decision, refuse } from '../decision.js';
import type { Issued } from '../issued.js';
import type { Known } from '../known.js';
import { about, acceptFor, carried, gone, isPrincipal, namedBy } from '../rules.js';
import { currentOf, type SessionId } from '../session.js';

/** Names a session of the scope as one to return to. Needs no epoch: it changes no session; but its principal. */
export interface MarkCheckpoint extends Issued {
  type: 'MarkCheckpoint';
  sessionId: SessionId;
  /** 1 to 128 characters; stays in the log. */
  label: string;
}

/** How many checkpoints a scope can have. None is ever moved or taken away. */
export const MOST_CHECKPOINTS = 100;

export function markCheckpoint(command: MarkCheckpoint, known: Known): Decision {
  const named = namedBy(command, known);
  if (!named) return gone(known);
  const current = about(currentOf(known));
  // What is so already is told to whoever repeats it, whoever the session has gone to since.
  if (known.checkpoint?.sessionId === named.sessionId) return acceptFor('unchanged', named, known);
  if (!isPrincipal(command, named)) return refuse('not-owner', current);
  if (known.checkpoint) return refuse('checkpoint-taken', current);
  if (named.invalid) return refuse('session-invalid', current);
  if ((known.checkpoints ?? 0) >= MOST_CHECKPOINTS) return refuse('too-many-checkpoints', current);
  const { label } = command;
  return acceptFor('marked', named, known, { type: 'CheckpointMarked', label, ...carried(named, known) });
}
