import { bindEach, bindTo } from '../binding.js';
import { continuing, isLong } from '../chain.js';
import { accept, type Decision, type IgnoredPart, refuse } from '../decision.js';
import type { SessionEvent } from '../events.js';
import type { HandleChange, NewHandle } from '../handles.js';
import type { Issued, Untimed } from '../issued.js';
import type { Known } from '../known.js';
import type { Outcome } from '../outcome.js';
import { about, ended, isOwner } from '../rules.js';
import type { Scope } from '../scope.js';
import {
  type ChainPolicy,
  currentOf,
  type Epoch,
  epochOf,
  type LeaseTerms,
  type Owner,
  type Session,
  type SessionId,
} from '../session.js';
import { takeOver } from '../take-over.js';

export interface StartSession extends Issued {
  type: 'StartSession';
  scope: Scope;
  /** The id to use if a session starts. */
  sessionId: SessionId;
  owner: Owner;
  onConflict: 'supersede' | 'reject' | 'join';
  /** Refused unless the scope's epoch is this one; 0 means that there was none yet. */
  expectedEpoch?: Epoch;
  phase?: 'starting';
  lease?: LeaseTerms;
  handles?: readonly NewHandle[];
  attributesDigest?: string;
  policy?: ChainPolicy;
  /** The label of a checkpoint of the scope, whose session the new one continues. */
  fromCheckpoint?: string;
}

export function start(command: StartSession, known: Known): Decision {
  const current = currentOf(known);
  const epoch = epochOf(known);
  const expected = command.expectedEpoch ?? epoch;
  if (expected > epoch) return refuse('future-epoch', about(current)); // 14
  if (expected < epoch) return refuse('stale-epoch', about(current)); // 1
  if (command.fromCheckpoint !== undefined) {
    if (!known.checkpoint) return refuse('unknown-checkpoint', about(current));
    if (known.checkpoint.invalid) return refuse('session-invalid', about(current));
  }
  if (!current || command.onConflict === 'supersede') return begin(command, known); // 1
  if (command.onConflict === 'reject') return refuse('session-active', { current }); // 3
  if (current.status === 'ending') return refuse('session-ending', { current }); // 2
  const decision =
    current.status === 'released'
      ? takeOver(current, command, command.owner, command, known) // 2
      : join(command, current, known); // 2
  return 'refusal' in decision ? decision : { ...decision, ...ignoredIn(command, decision.outcome) };
}

/** What a command asked for that the session it was answered with keeps as it was. A claim takes its lease. */
export function ignoredIn(
  command: Untimed<StartSession>,
  outcome: Outcome,
): { ignored?: readonly IgnoredPart[] } {
  if (outcome === 'started') return {};
  const ignored: IgnoredPart[] = [];
  if (command.attributesDigest !== undefined) ignored.push('attributes');
  if (command.fromCheckpoint !== undefined) ignored.push('fromCheckpoint');
  if (command.lease && outcome === 'joined') ignored.push('lease');
  if (command.phase) ignored.push('phase');
  if (command.policy) ignored.push('policy');
  return ignored.length > 0 ? { ignored } : {};
}

/** A handle of the session is its owner's to bind; anybody who joins may bind one to the scope. */
function join(command: StartSession, current: Session, known: Known): Decision {
  const renews = current.lease?.renewOn === 'use' && ({ renews: true } as const);
  if (!command.handles) return { ...accept('joined', current), ...renews };
  const bound = bindEach(current, command.handles, known);
  if ('refusal' in bound) return bound;
  if (bound.events.length > 0 && !isOwner(command, current, command.owner)) {
    return refuse('not-owner', { current });
  }
  // An event renews by itself.
  const renewed = bound.events.length === 0 && renews;
  return { ...accept('joined', bound.session, ...bound.events), handles: bound.changes, ...renewed };
}

function begin(command: StartSession, known: Known): Decision {
  const epoch = epochOf(known) + 1;
  const old = currentOf(known);
  const superseded = old && ended(old, command.at, 'superseded');
  if (superseded) superseded.successorId = command.sessionId;
  let session: Session = {
    sessionId: command.sessionId,
    scope: { userId: command.scope.userId, projectId: command.scope.projectId },
    status: command.phase ?? 'active',
    epoch,
    revision: (superseded ?? known.latest)?.revision ?? 0,
    owner: command.owner,
    principal: command.principal,
    rootId: command.sessionId,
    chainLength: 1,
    startedAt: command.at,
  };
  session.revision += 1;
  if (command.lease) session.lease = command.lease;
  if (command.attributesDigest !== undefined) session.attributesDigest = command.attributesDigest;
  let handles: readonly HandleChange[] | undefined;
  if (command.policy) session.policy = command.policy;
  if (command.policy && isLong(session, 1)) session.resetAdvised = true;
  if (command.fromCheckpoint !== undefined && known.checkpoint) {
    session.previousRootId = known.checkpoint.rootId;
    session.fromCheckpoint = command.fromCheckpoint;
    ({ session, changes: handles } = continuing(known.checkpoint, session, known));
  }
  if (command.handles) {
    const bound = bindTo(session, command.handles, known);
    if ('refusal' in bound) return bound;
    session = bound.session;
    handles = handles ? [...handles, ...bound.changes] : bound.changes;
  }
  const started = { type: 'SessionStarted', session } as const;
  const events: SessionEvent[] = superseded
    ? [{ type: 'SessionSuperseded', session: superseded, by: command.owner }, started]
    : [started];
  const accepted = accept('started', session, ...events);
  if (handles) accepted.handles = handles;
  return accepted;
}
