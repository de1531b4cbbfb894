import { isFull, newRootAfter, successorOf } from './chain.js';
import type { RotateSession } from './commands.js';
import { accept, type Decision, refuse } from './decision.js';
import type { Known } from './known.js';
import { addReport } from './record-usage.js';
import { acceptBeside, ended, fenced, isOwner } from './rules.js';
import { epochOf, type Session } from './session.js';

export function rotate(command: RotateSession, known: Known): Decision {
  const repeated = rotatedBefore(command, known);
  if (repeated) return acceptBeside('already-rotated', repeated, known); // 11
  const current = fenced(command, known); // 11: stale-session with the winner
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current }); // 11
  if (current.status !== 'active') return refuse('session-not-active', { current }); // 11
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });
  const { successorHandle, versionId, reason, successorId, at } = command;
  if (successorHandle !== undefined && successorHandle === current.handle) {
    return refuse('rotates-to-itself', { current });
  }
  const isReset = reason === 'reset';
  if (!isReset && isFull(current)) return refuse('chain-too-long', { current });

  const used = command.usage ? addReport(current, command.usage, known) : accept('unchanged', current);
  if ('refusal' in used) return used;
  const parent = used.session;
  const previous: Session = { ...ended(parent, at, isReset ? 'reset' : 'rotated'), successorId };
  const session = (isReset ? newRootAfter : successorOf)(parent, successorId, at);
  session.reason = reason;
  if (successorHandle !== undefined) {
    previous.successorHandle = successorHandle;
    session.handle = successorHandle;
  }
  if (versionId !== undefined) session.versionId = versionId;
  return accept('rotated', session, ...used.events, { type: 'SessionRotated', session, previous });
}

/** The successor that the same rotation got before: the one with the same handle. */
function rotatedBefore(command: RotateSession, known: Known): Session | undefined {
  const { past, pastSuccessor } = known;
  const isSame =
    past?.sessionId === command.sessionId &&
    (past.endCause === 'rotated' || past.endCause === 'reset') &&
    command.successorHandle !== undefined &&
    command.successorHandle === past.successorHandle;
  return isSame && command.epoch <= epochOf(known) ? pastSuccessor : undefined;
}
