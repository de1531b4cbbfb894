import type { RotateSession } from './commands.js';
import { accept, type Decision, refuse } from './decision.js';
import { bindTo, type NewHandle } from './handles.js';
import type { Known } from './known.js';
import { acceptBeside, ended, fenced, isOwner } from './rules.js';
import { epochOf, type Session } from './session.js';

export function rotate(command: RotateSession, known: Known): Decision {
  const { past, pastSuccessor } = known;
  const repeated = past?.sessionId === command.sessionId && past.endCause === 'rotated';
  if (repeated && pastSuccessor && command.epoch <= epochOf(known)) {
    const handle = command.successorHandle?.hash;
    if (handle !== undefined && handle === past.successorHandle)
      return acceptBeside('already-rotated', pastSuccessor, known); // 11
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
  if (command.successorHandle) previous.successorHandle = command.successorHandle.hash;
  const { versionId: _, handles: __, ...inherited } = current;
  const successor: Session = {
    ...inherited,
    sessionId: command.successorId,
    epoch: current.epoch + 1,
    revision: current.revision + 1,
    parentId: current.sessionId,
    chainLength: current.chainLength + 1,
    reason: command.reason,
    startedAt: command.at,
  };
  if (command.versionId !== undefined) successor.versionId = command.versionId;
  const bound = bindTo(successor, newHandles(command), known);
  if ('refusal' in bound) return bound;
  const { session, changes } = bound;
  return { ...accept('rotated', session, { type: 'SessionRotated', session, previous }), handles: changes };
}

function newHandles({ successorHandle, handles = [] }: RotateSession): readonly NewHandle[] {
  return successorHandle ? [{ ...successorHandle, binds: 'session' }, ...handles] : handles;
}
