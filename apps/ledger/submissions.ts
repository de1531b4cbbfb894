import { createHmac, randomUUID } from 'node:crypto';
import type { StartBody } from '#contracts';
import {
  type Draft,
  digest,
  type LedgerIdentity,
  newDetails,
  newSalt,
  newSessionId,
  partitionOfSession,
  type ReceiptKey,
  type Submission,
} from '#log';
import {
  type ChainPolicy,
  type Handle,
  partitionOf,
  type Scope,
  type ScopeKey,
  type SessionCommand,
  scopeKey,
} from '#session';
import { attributesJson } from './attributes.js';
import type { Caller } from './caller.js';
import { leaseTerms } from './lease-terms.js';
import { ProblemError } from './problem.js';

type SessionDraft = Extract<Draft, { type: SessionCommand['type'] }>;
/** A session's command as its route brings it, before anybody has said whose it is. */
type Untagged<T> = T extends unknown ? Omit<T, 'principal' | 'operate'> : never;

/** A handle as requests bring it. */
export interface OutsideName {
  kind: string;
  value: string;
}

/** The idempotency key of a request and what it asks for. */
export interface KeyedRequest {
  key: string | undefined;
  path: string;
  body: unknown;
}

/** Turns requests into submissions: stamps who asks, makes ids, hashes what must not be stored. */
export class Submissions {
  constructor(private readonly ledger: LedgerIdentity) {}

  /** The scope of a request, its key and its partition. */
  scope(caller: Caller, userId: string, projectId = 'default') {
    const scope: Scope = { tenant: caller.tenant, userId, projectId };
    const key = scopeKey(scope);
    return { scope, scopeKey: key, partition: partitionOf(key, this.ledger.partitions) };
  }

  start(caller: Caller, body: StartBody, request: KeyedRequest): Submission {
    const { scope, scopeKey, partition } = this.scope(caller, body.userId, body.projectId);
    const { owner, onConflict = 'supersede', expectedEpoch, phase, lease, handles, attributes } = body;
    const { policy, fromCheckpoint } = body;
    const details = attributes && newDetails(attributesJson(attributes), newSalt());
    const command: Extract<Draft, { type: 'StartSession' }> = {
      type: 'StartSession',
      principal: caller.principal,
      operate: caller.operate,
      sessionId: newSessionId(partition),
      scope,
      owner,
      onConflict,
    };
    if (expectedEpoch !== undefined) command.expectedEpoch = expectedEpoch;
    if (phase === 'starting') command.phase = phase;
    if (lease) command.lease = leaseTerms(lease);
    if (handles?.length) command.handles = this.handles(caller, handles);
    if (details) command.attributesDigest = details.digest;
    if (policy) command.policy = chainPolicy(policy);
    if (fromCheckpoint !== undefined) command.fromCheckpoint = fromCheckpoint;
    const submission = this.submission(caller, command, partition, request);
    submission.scopeKey = scopeKey as ScopeKey;
    if (details) submission.details = details;
    return submission;
  }

  /** Of one scope; idempotent by itself, so it needs no key. */
  erase(caller: Caller, userId: string, projectId: string): Submission {
    const { scope, scopeKey, partition } = this.scope(caller, userId, projectId);
    const { principal, operate } = caller;
    const submission = this.submission(caller, { type: 'EraseScope', principal, operate, scope }, partition);
    submission.scopeKey = scopeKey;
    return submission;
  }

  forSession(caller: Caller, draft: Untagged<SessionDraft>, request?: KeyedRequest): Submission {
    const partition = this.partitionOf(draft.sessionId);
    const { principal, operate } = caller;
    return this.submission(caller, { ...draft, principal, operate }, partition, request);
  }

  /** Throws `unknown-session` for an id that no partition of this ledger can have made. */
  partitionOf(sessionId: string): number {
    const partition = partitionOfSession(sessionId);
    if (!this.hasPartition(partition)) throw new ProblemError('unknown-session');
    return partition;
  }

  hasPartition(partition: number): boolean {
    return partition < this.ledger.partitions;
  }

  /** The id for the successor of a session: in the same partition, since it has the same scope. */
  successorOf(sessionId: string): string {
    return newSessionId(this.partitionOf(sessionId));
  }

  /** An outside name as the log knows it: by the keyed hash of tenant, kind and value. */
  handle(caller: Caller, { kind, value }: OutsideName): Handle {
    const named = JSON.stringify([caller.tenant, kind, value]);
    return { kind, hash: createHmac('sha256', this.ledger.handleKey).update(named).digest('base64url') };
  }

  /** Names of one request. Throws `invalid-request` when one stands twice. */
  handles<Name extends OutsideName>(
    caller: Caller,
    names: readonly Name[],
  ): (Omit<Name, 'value'> & Handle)[] {
    const handles = names.map(({ value, ...rest }) => ({
      ...rest,
      ...this.handle(caller, { ...rest, value }),
    }));
    if (new Set(handles.map(({ hash }) => hash)).size < handles.length) {
      throw new ProblemError('invalid-request', 'body names a handle twice');
    }
    return handles;
  }

  private submission(caller: Caller, command: Draft, partition: number, request?: KeyedRequest): Submission {
    const submission: Submission = { command, tenant: caller.tenant, partition, commandId: randomUUID() };
    const receipt = request && receiptKey(caller, request);
    if (receipt) submission.receipt = receipt;
    return submission;
  }
}

/** Throws `invalid-request` for a policy that would advise a reset when it is too late. */
function chainPolicy(policy: ChainPolicy): ChainPolicy {
  const { maxChainLength, adviseAt } = policy;
  if (adviseAt !== undefined && maxChainLength !== undefined && adviseAt > maxChainLength) {
    throw new ProblemError('invalid-request', 'body.policy.adviseAt must be <= body.policy.maxChainLength');
  }
  return policy;
}

/** What an idempotency key is kept as; undefined for a request without one. */
export function receiptKey(caller: Caller, { key, path, body }: KeyedRequest): ReceiptKey | undefined {
  if (key === undefined) return undefined;
  return {
    key: digest(JSON.stringify([caller.tenant, caller.principal, key])),
    fingerprint: digest(JSON.stringify([path, body])),
  };
}
