import { createHmac } from 'node:crypto';
import type { StartBody } from '#contracts';
import {
  type Draft,
  digest,
  type LedgerIdentity,
  newCommandId,
  newDetails,
  newSalt,
  newSessionId,
  partitionOfSession,
  type ReceiptKey,
  type Submission,
} from '#log';
import {
  attributesJson,
  canonicalJson,
  meantBy,
  type Naming,
  type OutsideName,
  ProblemError,
  type SessionDraft,
  startDraft,
} from '#protocol';
import { type Handle, partitionOf, type Scope, type ScopeKey, scopeKey } from '#session';
import type { Caller } from './caller.js';

/** The idempotency key of a request and what it asks for: the path says which operation, and of which session. */
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
    const { attributes } = body;
    const { principal, operate } = caller;
    const details = attributes && newDetails(attributesJson(attributes), newSalt());
    const draft = startDraft(body, scope, newSessionId(partition), this.naming(caller));
    const command: Extract<Draft, { type: 'StartSession' }> = Object.assign(draft, { principal, operate });
    if (details) command.attributesDigest = details.digest;
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

  forSession(caller: Caller, draft: SessionDraft, request?: KeyedRequest): Submission {
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

  /** What a caller's requests do not say themselves. */
  naming(caller: Caller): Naming {
    return {
      handle: (name) => this.handle(caller, name),
      // In the same partition, since it has the same scope.
      successorOf: (sessionId) => newSessionId(this.partitionOf(sessionId)),
    };
  }

  /** An outside name as the log knows it: by the keyed hash of tenant, kind and value. */
  handle(caller: Caller, { kind, value }: OutsideName): Handle {
    const named = JSON.stringify([caller.tenant, kind, value]);
    return { kind, hash: createHmac('sha256', this.ledger.handleKey).update(named).digest('base64url') };
  }

  private submission(caller: Caller, command: Draft, partition: number, request?: KeyedRequest): Submission {
    const submission: Submission = { command, tenant: caller.tenant, partition, commandId: newCommandId() };
    const receipt = request && receiptKey(caller, request);
    if (receipt) submission.receipt = receipt;
    return submission;
  }
}

/** What an idempotency key is kept as, with what the request means; undefined for a request without a key. */
export function receiptKey(caller: Caller, { key, path, body }: KeyedRequest): ReceiptKey | undefined {
  if (key === undefined) return undefined;
  return {
    key: digest(JSON.stringify([caller.tenant, caller.principal, key])),
    fingerprint: digest(canonicalJson([path, meantBy(body)])),
    // Up to 0.1 the members counted in the order in which they came.
    formerly: () => digest(JSON.stringify([path, body])),
  };
}
