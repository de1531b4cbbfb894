import type { RotateSession } from './commands.js';
import { accept, type Decision, refuse } from './decision.js';
import type { Known } from './known.js';
import { acceptBeside, ended, fenced, isOwner } from './rules.js';
import { epochOf, type Session } from './session.js';

export function rotate(command: RotateSession, known: Known): Decision {
  const { past, pastSuccessor } = known;
  const repeated = past?.sessionId === command.sessionId && past.endCause === 'rotated';
  if (repeated && pastSuccessor && command.epoch <= epochOf(known)) {
    const sameHandle =
      command.successorHandle !== undefined && command.successorHandle === past.successorHandle;
    if (sameHandle) return acceptBeside('already-rotated', pastSuccessor, known); // 11
  }
  const current = fenced(command, known); // 11: stale-session with the winner
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current }); // 11
  if (current.status !== 'active') return refuse('session-not-active', { current }); // 11
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });

  const previous: Session = {
    ...ended(current, command.at, 'rotated'),
    successorId: command.successorId,
  };
  if (command.successorHandle !== undefined) previous.successorHandle = command.successorHandle;
  const { versionId: _, ...inherited } = current;
  const session: Session = {
    ...inherited,
    sessionId: command.successorId,
    epoch: current.epoch + 1,
    revision: current.revision + 1,
    parentId: current.sessionId,
    chainLength: current.chainLength + 1,
    reason: command.reason,
    startedAt: command.at,
  };
  if (command.versionId !== undefined) session.versionId = command.versionId;
  return accept('rotated', session, { type: 'SessionRotated', session, previous });
}
