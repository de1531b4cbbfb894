import type {
  Command,
  IgnoredPart,
  Instant,
  JsonObject,
  Outcome,
  Position,
  Refusal,
  ScopeKey,
  Session,
  StartSession,
  Untimed,
} from '#session';

/** A command before the log gives it its time. */
export type Draft = Untimed<Command>;
export type StartDraft = Untimed<StartSession>;

/** Attributes on their way into details; `digest` is in the command, too. */
export interface NewDetails {
  digest: string;
  salt: Buffer;
  body: string;
}

/** An idempotency key, hashed together with its tenant and principal, and what it was first used for. */
export interface ReceiptKey {
  key: string;
  fingerprint: string;
  /** As an earlier version would have had it: its receipts are still there for a while. */
  formerly?: () => string;
}

/** Whether a key was kept for the request that brings it now. Hex digits only. */
export function isSameRequest(kept: string, { fingerprint, formerly }: ReceiptKey): boolean {
  return kept === fingerprint || kept === formerly?.();
}

/** One command with what the log keeps about it. */
export interface Submission {
  command: Draft;
  /** Whose sessions the command may name; undefined for the ledger itself, which names anybody's. */
  tenant: string | undefined;
  /** Where the command's scope lives. */
  partition: number;
  /** A UUID; every event of the command carries it. */
  commandId: string;
  /** Of the scope to start in; absent for a command that names a session. */
  scopeKey?: ScopeKey;
  receipt?: ReceiptKey;
  details?: NewDetails;
  /** For ChangeAttributes: what to merge into the attributes, and the salt of their next digest. */
  patch?: { json: JsonObject; salt: Buffer };
}

/** Attributes' JSON by digest; one that is missing was erased. */
type Shown = ReadonlyMap<string, string>;

/** A handle that its scope lost, because it got another one and keeps 32. */
export interface DroppedHandle {
  kind: string;
  /** When it was bound, or bound again, last; absent when it is older than that was kept. */
  boundAt?: Instant;
}

/** What became of a command. */
export type Answer =
  | {
      kind: 'accepted';
      outcome: Outcome;
      session: Session;
      /** The current session, where `session` may be history; null in a replay when none is any more. */
      current?: Session | null;
      /** What a start asked for and did not get, because it joined or claimed. */
      ignored?: readonly IgnoredPart[];
      /** For `reported`: in how many seconds the session should be tried again. */
      retryAfter?: number;
      /** Handles that the scope lost to new ones, the oldest first. */
      dropped?: readonly DroppedHandle[];
      position: Position;
      /** The receipt answered: the command had been obeyed before. */
      replayed?: true;
      /** Those of its sessions, where they have any. */
      attributes?: Shown;
    }
  | { kind: 'refused'; refusal: Refusal; position: Position; attributes?: Shown }
  | { kind: 'unknown-session' }
  /** The idempotency key was used before with another body. */
  | { kind: 'key-reused' }
  /** The attributes would be larger than MOST_ATTRIBUTE_BYTES. */
  | { kind: 'attributes-too-large'; bytes: number };
