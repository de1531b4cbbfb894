import { bindTo } from '../binding.js';
import { isFull, newRootAfter, successorOf } from '../chain.js';
import { accept, type Decision, refuse } from '../decision.js';
import type { Handle, NewHandle } from '../handles.js';
import type { ByOwner } from '../issued.js';
import type { Known } from '../known.js';
import { acceptBeside, ended, fenced, isOwner } from '../rules.js';
import { epochOf, type Session, type SessionId } from '../session.js';
import type { Usage } from '../values/usage.js';
import { addReport } from './record-usage.js';

export interface RotateSession extends ByOwner {
  type: 'RotateSession';
  /** The id that the successor gets. */
  successorId: SessionId;
  /** `reset` starts a new chain. */
  reason: string;
  versionId?: string;
  /** The provider's name for the successor: bound to it, and the same one again gets the same successor. */
  successorHandle?: Handle;
  /** More outside names to bind. */
  handles?: readonly NewHandle[];
  /** Of the operation that has just finished on the session which is rotated away. */
  usage?: Usage;
}

export function rotate(command: RotateSession, known: Known): Decision {
  const repeated = rotatedBefore(command, known);
  if (repeated) return acceptBeside('already-rotated', repeated, known); // 11
  const current = fenced(command, known); // 11: stale-session with the winner
  if ('refusal' in current) return current;
  if (current.status === 'ending') return refuse('session-ending', { current }); // 11
  if (current.status !== 'active') return refuse('session-not-active', { current }); // 11
  if (!isOwner(command, current, command.owner)) return refuse('not-owner', { current });
  const { successorHandle, versionId, reason, successorId, at } = command;
  const isReset = reason === 'reset';
  if (!isReset && isFull(current)) return refuse('chain-too-long', { current });

  const used = command.usage ? addReport(current, command.usage, known) : accept('unchanged', current);
  if ('refusal' in used) return used;
  const parent = used.session;
  const previous = ended(parent, at, isReset ? 'reset' : 'rotated');
  previous.successorId = successorId;
  if (successorHandle) previous.successorHandle = successorHandle.hash;
  const successor = (isReset ? newRootAfter : successorOf)(parent, successorId, at);
  successor.reason = reason;
  if (versionId !== undefined) successor.versionId = versionId;
  const bound = bindTo(successor, newHandles(command), known);
  if ('refusal' in bound) return bound;
  const { session, changes } = bound;
  const events = [...used.events, { type: 'SessionRotated', session, previous } as const];
  return { ...accept('rotated', session, ...events), handles: changes };
}

function newHandles({ successorHandle, handles = [] }: RotateSession): readonly NewHandle[] {
  return successorHandle ? [{ ...successorHandle, binds: 'session' }, ...handles] : handles;
}

/** The successor that the same rotation got before: the one with the same handle. */
function rotatedBefore(command: RotateSession, known: Known): Session | undefined {
  const { past, pastSuccessor } = known;
  const handle = command.successorHandle?.hash;
  const isSame =
    past?.sessionId === command.sessionId &&
    (past.endCause === 'rotated' || past.endCause === 'reset') &&
    handle !== undefined &&
    handle === past.successorHandle;
  return isSame && command.epoch <= epochOf(known) ? pastSuccessor : undefined;
}
