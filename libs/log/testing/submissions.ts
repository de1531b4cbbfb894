import { createHash, randomBytes } from 'node:crypto';
import { v4 } from 'uuid';
import type { Answer, Submission } from '#api';
import {
  type Draft,
  type Owner,
  partitionOf,
  partitionOfSession,
  type Scope,
  type ScopeKey,
  type Session,
  type SessionCommand,
  type StartSession,
  scopeKey,
  type Usage,
} from '#session';
import { digest } from '../ids.js';
import { newSessionId } from '../index.js';

/** Where a scope lives. */
export interface Place {
  scope: Scope;
  scopeKey: ScopeKey;
  partition: number;
}

export const dev: Owner = { environment: 'cloud-dev' };
export const debug: Owner = { environment: 'cloud-debug', instance: 'a' };

export function placeOf(partitions: number, userId: string, more: Partial<Scope> = {}): Place {
  const scope: Scope = { tenant: 'acme', userId, projectId: 'default', ...more };
  const key = scopeKey(scope);
  return { scope, scopeKey: key, partition: partitionOf(key, partitions) };
}

let users = 0;

/** A scope that no test has used; in the given partition when that matters. */
export function newPlace(partitions: number, partition?: number): Place {
  for (;;) {
    const place = placeOf(partitions, `user-${++users}`);
    if (partition === undefined || place.partition === partition) return place;
  }
}

/** A start that supersedes, by cloud-dev. */
export function start(place: Place, more: Partial<Omit<StartSession, 'at'>> = {}): Submission {
  const command: Omit<StartSession, 'at'> = {
    type: 'StartSession',
    scope: place.scope,
    sessionId: newSessionId(place.partition),
    owner: dev,
    onConflict: 'supersede',
    principal: 'one',
    operate: false,
    ...more,
  };
  return {
    command,
    tenant: place.scope.tenant,
    partition: place.partition,
    scopeKey: place.scopeKey,
    commandId: v4(),
  };
}

type Untimed<T> = T extends unknown ? Omit<T, 'at' | 'sessionId' | 'epoch' | 'principal' | 'operate'> : never;
type Issue = { sessionId?: string; epoch?: number; principal?: string; operate?: boolean };

/** A command for a session as its sender knows it. */
export function forSession(session: Session, command: Untimed<SessionCommand> & Issue): Submission {
  const { sessionId, epoch, principal } = session;
  const draft = { sessionId, epoch, principal, operate: false, ...command } as Draft;
  return { command: draft, tenant: 'acme', partition: partitionOfSession(sessionId), commandId: v4() };
}

export function end(
  session: Session,
  more: Partial<Extract<Draft, { type: 'EndSession' }>> = {},
): Submission {
  return forSession(session, { type: 'EndSession', origin: session.owner ?? dev, reason: 'done', ...more });
}

export function rotate(
  session: Session,
  more: Partial<Extract<Draft, { type: 'RotateSession' }>> = {},
): Submission {
  const successorId = newSessionId(partitionOfSession(session.sessionId));
  return forSession(session, { type: 'RotateSession', successorId, reason: 'compacted', ...more });
}

/** Definite, and to go on from the latest valid session, unless said. */
export function reportInvalid(
  session: Session,
  more: Partial<Extract<Draft, { type: 'ReportInvalid' }>> = {},
): Submission {
  return forSession(session, {
    type: 'ReportInvalid',
    certainty: 'definite',
    reason: 'context lost',
    fallback: 'latest-valid',
    successorId: newSessionId(partitionOfSession(session.sessionId)),
    ...more,
  });
}

export function recordUsage(session: Session, usage: Usage): Submission {
  return forSession(session, { type: 'RecordUsage', usage });
}

export function markCheckpoint(session: Session, label: string): Submission {
  return forSession(session, { type: 'MarkCheckpoint', label });
}

/** The submission with an idempotency key, as the edge makes it from tenant, principal, key and body. */
export function keyed(submission: Submission, key: string, body: unknown = 'body'): Submission {
  const { tenant, command } = submission;
  const receipt = {
    key: digest(JSON.stringify([tenant, command.principal, key])),
    fingerprint: digest(JSON.stringify(body)),
  };
  return { ...submission, receipt };
}

/** The same command as another request brings it: with ids and a salt of its own. */
export function again(submission: Submission): Submission {
  const command = { ...submission.command };
  if (command.type === 'StartSession') command.sessionId = newSessionId(submission.partition);
  if ('successorId' in command) command.successorId = newSessionId(submission.partition);
  const fresh = { ...submission, command, commandId: v4() };
  return submission.details ? withAttributes(fresh, submission.details.body) : fresh;
}

export function withAttributes(submission: Submission, body: string): Submission {
  const salt = randomBytes(16);
  const attributesDigest = createHash('sha256').update(salt).update(body).digest('base64url');
  const command = { ...submission.command, attributesDigest } as Draft;
  return { ...submission, command, details: { digest: attributesDigest, salt, body } };
}

/** The session of an answer that has to be an accepting one. */
export function sessionOf(answer: Answer): Session {
  if (answer.kind !== 'accepted') throw new Error(`expected a session, got ${JSON.stringify(answer)}`);
  return answer.session;
}

/** An operator has a scope's details forgotten. */
export function erase(place: Place): Submission {
  const { scope, scopeKey, partition } = place;
  const command = { type: 'EraseScope', scope, principal: 'operator', operate: true } as const;
  return { command, tenant: scope.tenant, partition, scopeKey, commandId: v4() };
}
