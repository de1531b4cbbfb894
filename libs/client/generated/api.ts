// Generated from libs/api/schemas by `npm run generate`. Do not edit.

/** A key without its secret, which is not stored. */
export interface AccessKey {
  /** 10 characters of 0-9, A-Z and a-z. */
  keyId: string;

  /** A-Z, a-z, 0-9, . _ ~ and -, at most 64. */
  tenant?: string;
  ledgerWide: boolean;

  /** 1 to 256 printable ASCII characters without quotes and backslashes; stays in the log for good. */
  principal: string;
  permissions: ('read' | 'write' | 'operate' | 'audit' | 'admin')[];

  /** Environments that it may name as owner, origin or heir; any when left out. */
  environments?: string[];

  /** As many as its tenant may, when left out. */
  limits?: {
    /** Items a second. */
    commands?: number;

    /** Items a second. */
    reads?: number;
  };

  /** 1 to 128 characters, for people. */
  name: string;

  /** UTC, milliseconds. */
  madeAt: string;
  madeBy: string;

  /** UTC, milliseconds. */
  expiresAt?: string;

  /** UTC, milliseconds. */
  revokedAt?: string;

  /** The last day of use, in UTC. */
  usedOn?: string;
}

export interface AuditKeys {
  /** Names the ledger: the log of partition 3 is `<origin>/3`. */
  origin: string;

  /** Verifier keys (c2sp.org/signed-note); empty: nothing is signed. */
  keys: string[];
}

/** Kept for 30 days after it finishes. */
export interface BulkJob {
  jobId: string;
  state: 'open' | 'finished';

  /** The principal that started it. */
  principal: string;
  select: Selection;
  action: 'end' | 'release';

  /** 1 to 64 characters; stays in the log, so no personal data. */
  reason: string;
  counts: {
    /** Sessions that matched; the sum of the others. */
    examined: number;

    /** Sessions that this job ended or released. */
    changed: number;

    /** Sessions that no longer matched, or needed no change. */
    skipped: number;

    /** Failed; the log of the service says why. */
    failed: number;
  };
  partitions: {
    done: number;
    of: number;
  };

  /** UTC, milliseconds. */
  createdAt: string;

  /** UTC, milliseconds. */
  updatedAt: string;

  /** UTC, milliseconds. */
  finishedAt?: string;
}

/** The caller, and the service that answers. */
export interface CallerView {
  /** Whether callers need a credential. */
  accessControl: boolean;
  principal: string;

  /** Empty if the caller has no tenant. */
  tenant: string;
  permissions: ('read' | 'write' | 'operate' | 'audit' | 'admin')[];

  /** Whether it may reach data of all tenants. */
  ledgerWide: boolean;

  /** Environments that it may name; absent: any. */
  environments?: string[];

  /** The service's version. */
  version: string;

  /** `/ledgers/<ledger id>`, as in its events. */
  source: string;
}

/** `usage` sums all sessions of the chain, including other pages. */
export interface ChainPage {
  sessions: PlacedSession[];
  usage?: UsageTotals;

  /** Pass as `after` for the next page; absent in the last one. */
  next?: string;
}

export interface CheckpointList {
  checkpoints: {
    /** 1 to 128 characters, no control characters; stays in the log, so no personal data. */
    label: string;

    /** UUID of one session instance. */
    sessionId: string;

    /** UTC, milliseconds. */
    markedAt: string;
  }[];
}

export interface Checkpoints {
  /** Of each partition a checkpoint as a signed note (c2sp.org/tlog-checkpoint); without signatures where no key is set. */
  checkpoints: string[];
}

export interface CommandAnswer {
  outcome: string;
  session: Session;

  /** The current session, if `session` is not or is no longer it. In a repeated answer null says that none is current any more. */
  current?: Session | null;

  /** What the start requested and did not get, because it joined or claimed a session. */
  ignored?: ('attributes' | 'fromCheckpoint' | 'lease' | 'phase' | 'policy')[];

  /** Handles that the scope lost to new ones, since it keeps 32: when each was bound last, the oldest first. Not in an answer that is repeated by its key. */
  dropped?: {
    /** a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear. */
    kind: string;

    /** UTC, milliseconds. */
    boundAt?: string;
  }[];

  /** For reported: seconds to wait before a retry. */
  retryAfter?: number;
  position: Position;
}

export interface ConsistencyProof {
  partition: number;

  /** Leaves of a tree: the sequence of its last event. */
  from: number;

  /** Leaves of a tree: the sequence of its last event. */
  to: number;

  /** Base 64, in the order of RFC 6962 section 2.1.2. */
  hashes: string[];
}

export interface CurrentFigures {
  total: number;
  byStatus: {
    starting: number;
    active: number;
    released: number;
    ending: number;
  };

  /** The 50 with the most sessions, in descending order. */
  byEnvironment: {
    /** Absent for sessions without an owner. */
    environment?: string;
    count: number;
  }[];
}

/** Sessions with a lease also have `lease.expiresAt`. */
export interface CurrentList {
  sessions: PlacedSession[];

  /** For the next page; absent in the last one. */
  next?: string;
}

export interface CurrentPage {
  sessions: Session[];

  /** For the next page; absent in the last one. */
  next?: string;
}

export interface ErasedAnswer {
  /** unchanged if there was nothing to erase. */
  outcome: 'erased' | 'unchanged';

  /** The scopes whose details were erased; positions of their DetailsErased. */
  erased: {
    scope: Scope;
    position: Position;
  }[];

  /** false: details of more scopes are left; repeat the request. */
  complete: boolean;
}

export interface EventPage {
  events: LedgerEvent[];
  next?: number;
}

/** An outside name. */
export interface Handle {
  /** a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear. */
  kind: string;

  /** 1 to 1024 characters, valid Unicode, no control characters; kept as a keyed hash only. */
  value: string;
}

export interface JobPage {
  /** All jobs of the tenant, by any caller. */
  jobs: BulkJob[];

  /** Pass as `after` for the next page; absent in the last one. */
  next?: string;
}

export interface KeptCheckpoints {
  /** The newest first. */
  checkpoints: {
    /** Leaves of a tree: the sequence of its last event. */
    size: number;

    /** UTC, milliseconds. */
    keptAt: string;

    /** The signed note. */
    note: string;
  }[];

  /** Pass as `before` for the next page, if there may be more. */
  next?: number;
}

export interface KeyPage {
  keys: AccessKey[];

  /** Pass as `after` for the next page; absent in the last one. */
  next?: string;
}

/** How long ownership lasts without a sign of life. */
export interface Lease {
  /** A whole number from 1 to 2592000 (30 days). */
  seconds: number;

  /** How long the session waits for its old owner after a lapse; 60 when left out. */
  graceSeconds?: number;

  /** heartbeat when left out; use makes it an idle time-out. */
  renewOn?: 'heartbeat' | 'use';

  /** release when left out. */
  onLapse?: 'release' | 'end';
}

/** A CloudEvent (CloudEvents 1.0, structured mode). */
export interface LedgerEvent {
  specversion: '1.0';

  /** `partition:sequence`. */
  id: string;

  /** `/ledgers/<ledger id>`. */
  source: string;
  type:
    | 'session-ledger.SessionStarted.v1'
    | 'session-ledger.SessionActivated.v1'
    | 'session-ledger.SessionSuperseded.v1'
    | 'session-ledger.SessionRotated.v1'
    | 'session-ledger.OwnershipReleased.v1'
    | 'session-ledger.OwnershipClaimed.v1'
    | 'session-ledger.OwnershipLapsed.v1'
    | 'session-ledger.SessionExpired.v1'
    | 'session-ledger.AttributesChanged.v1'
    | 'session-ledger.HandleBound.v1'
    | 'session-ledger.HandleUnbound.v1'
    | 'session-ledger.DetailsErased.v1'
    | 'session-ledger.SessionEnding.v1'
    | 'session-ledger.SessionEnded.v1'
    | 'session-ledger.StopIgnored.v1'
    | 'session-ledger.UsageRecorded.v1'
    | 'session-ledger.CheckpointMarked.v1'
    | 'session-ledger.SessionInvalidated.v1'
    | 'session-ledger.InvalidReported.v1';

  /** The scope key: tenant/userId/projectId, percent-encoded. */
  subject: string;

  /** UTC, milliseconds. */
  time: string;
  datacontenttype: 'application/json';

  /** The scope key: Kafka's record key. */
  partitionkey: string;
  partition: number;

  /** Without gaps within the partition; 16 digits, zero-padded. */
  sequence: string;

  /** Shared by the events of one command. */
  commandid: string;

  /** The principal that caused it; absent when time alone did, and in events from before 0.2. */
  principal?: string;

  /** The trace of the request that caused it (CloudEvents distributed tracing extension), if the request named one. */
  traceparent?: string;

  /** version, and the fields of the type. */
  data: { [name: string]: unknown };
}

export interface LedgerFigures {
  /** `/ledgers/<ledger id>`, as in its events. */
  source: string;
  partitions: number;

  /** Of all partitions. */
  events: number;

  /** The last sequence of each partition. */
  heads: number[];

  /** How often events that a failover or a restore had lost were given up. When it rises, followers start from the beginning. */
  restores: number;
}

export interface ManyAnswers {
  /** One per command, in the order of the commands. */
  answers: (OneAnswer | Problem)[];
}

export interface ManyCurrent {
  /** One per element, in the order of the request. */
  answers: (
    | {
        /** The status of the single operation. */
        status: number;
        session: Session;
      }
    | Problem
  )[];
}

/** An exact amount of money, in one currency. */
export interface Money {
  /** A decimal, such as "0.0125" or 1.5e-7: no sign, up to 18 digits before the point and 30 after it. It is answered as text, without exponent. */
  amount: string | number;

  /** ISO 4217: three capital letters. */
  currency: string;
}

/** An outside name and what it is bound to. */
export interface NewHandle {
  /** a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear. */
  kind: string;

  /** 1 to 1024 characters, valid Unicode, no control characters; kept as a keyed hash only. */
  value: string;

  /** scope: routing to whatever is current (32 a scope, the oldest is dropped); session: stays with the session until a later one of the scope brings it (8 a session). */
  binds: 'scope' | 'session';
}

export interface NewKey {
  /** What to send as Authorization: Bearer. Shown only once. */
  secret: string;
  key: AccessKey;
}

export interface NotRenewed {
  /** UUID of one session instance. */
  sessionId: string;
  problem: Problem;
}

export type OneAnswer = CommandAnswer & {
  /** The status of the single operation. */
  status: number;

  /** This is the earlier answer for the same key. */
  replayed?: true;
};

/** Who runs the session. */
export interface Owner {
  /** 1 to 256 characters, valid Unicode, no control characters. */
  environment: string;

  /** 1 to 256 characters, valid Unicode, no control characters. */
  instance?: string;
}

/** A session, and the event that last changed it. */
export interface PlacedSession {
  /** UUID of one session instance. */
  sessionId: string;
  scope: Scope;
  status: 'starting' | 'active' | 'released' | 'ending' | 'ended';

  /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
  epoch: number;
  revision: number;
  owner?: Owner;
  previousOwner?: Owner;
  reservedFor?: Owner;

  /** UTC, milliseconds. */
  reservedUntil?: string;

  /** The length of the reservation; absent if a lapse made it. */
  reservedSeconds?: number;

  /** UTC, milliseconds. */
  expiresAt?: string;
  lease?: ShownLease;

  /** UTC, milliseconds. */
  drainUntil?: string;
  principal: string;

  /** UUID of one session instance. */
  parentId?: string;

  /** UUID of one session instance. */
  rootId: string;
  chainLength: number;
  policy?: Policy;

  /** Rotate with reason "reset" soon. */
  resetAdvised?: true;

  /** UUID of one session instance. */
  previousRootId?: string;

  /** UUID of one session instance. */
  recoveredFrom?: string;
  fromCheckpoint?: string;
  reason?: string;
  versionId?: string;

  /** Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased. */
  handles?: {
    /** a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear. */
    kind: string;
    hash: string;
  }[];

  /** SHA-256 over a salt and the attributes. */
  attributesDigest?: string;
  attributes: { [name: string]: unknown } | 'erased';

  /** UTC, milliseconds. */
  startedAt: string;

  /** UTC, milliseconds. */
  endedAt?: string;
  endCause?: 'ended' | 'superseded' | 'rotated' | 'expired' | 'invalid' | 'reset';
  endReason?: string;
  endedBy?: Owner;

  /** UUID of one session instance. */
  successorId?: string;

  /** `hash` of the handle in its rotation. */
  successorHandle?: string;
  usage?: UsageTotals;
  invalid?: {
    /** UTC, milliseconds. */
    at: string;
    reason: string;
  };
  position: Position;
}

/** What holds for the chain: one of these at least. */
export interface Policy {
  /** A whole number from 1 to 100000: only a reset leads on from there. */
  maxChainLength?: number;

  /** From which chain length a reset is advised: from 1 to maxChainLength, which it is when left out. */
  adviseAt?: number;

  /** A whole number from 1 to 2592000 (30 days): a released session expires this long after the release, or after its reservation; never when left out. */
  endReleasedAfterSeconds?: number;
}

/** A place in the log. */
export interface Position {
  partition: number;
  sequence: number;
}

/** RFC 9457. `current` is the current session; if there is none, `last` is the previous one. */
export interface Problem {
  /** /problems/<code>. */
  type: string;
  title: string;
  status: number;
  detail?: string;

  /** Whether the same request may succeed later. */
  retryable: boolean;
  current?: Session;
  last?: Session;

  /** UTC, milliseconds. */
  until?: string;

  /** Seconds to wait before a retry; for one of many commands, in place of the header. */
  retryAfter?: number;

  /** For handle-taken: the kind of the handle. */
  handle?: string;

  /** For resolve: index, from 0, of the candidate at fault. */
  candidate?: number;

  /** For archived events. */
  partition?: number;

  /** The first sequence of the partition that is not archived. */
  firstSequence?: number;

  /** The first version of the scope that is not archived. */
  firstVersion?: number;

  /** The archives to read first, in order, with the sequences that they contain. */
  files?: {
    file: string;
    first: number;
    last: number;
  }[];
}

export interface ProblemPage {
  /** /problems/<code>. */
  type: string;
  title: string;
  status: number;

  /** Whether the same request may succeed later. */
  retryable: boolean;

  /** Seconds to wait before a retry. */
  retryAfter?: number;

  /** What to do, if the title does not say it. */
  advice?: string;
}

export interface ProjectionFigures {
  /** The last projected sequence of each partition. */
  positions: number[];

  /** Events that are not projected yet. */
  behind: number;
}

export interface Refusal {
  origin?: Owner;

  /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
  epoch?: number;

  /** How the session had ended, or what did not match. */
  why: string;

  /** How often it was received. */
  count: number;
  position: Position;

  /** UTC, milliseconds. */
  at?: string;

  /** The event at `position` is archived; only it has origin, epoch and at. */
  archived?: true;
}

export interface RelayFigures {
  /** The last event of each partition that Kafka has confirmed. */
  confirmed: number[];

  /** Events that Kafka has not confirmed. */
  behind: number;

  /** Partitions that a relay holds; 0: no partition is relayed. */
  held: number;
}

export interface Renewed {
  outcome: 'renewed';

  /** UUID of one session instance. */
  sessionId: string;

  /** UTC, milliseconds. */
  until: string;
}

export interface RenewedMany {
  results: (Renewed | NotRenewed)[];
}

export interface ReportsTaken {
  taken: number;

  /** How many of the tenant's oldest reports, beyond 50,000, were dropped. */
  dropped: number;
}

export interface ReportsWithdrawn {
  /** How many reports were withdrawn. */
  withdrawn: number;
}

export interface Resolved {
  session: Session;

  /** Indexes, from 0, of the candidates that are unbound handles. */
  unknown: number[];
}

/** A user and a project; a scope has at most one current session. */
export interface Scope {
  /** 1 to 256 characters, valid Unicode, no control characters. */
  userId: string;

  /** 1 to 256 characters, valid Unicode, no control characters. */
  projectId: string;
}

/** `usage` sums all sessions of the scope. */
export interface ScopeUsage {
  usage?: UsageTotals;
}

/** userId: all sessions of the user. environment: those that it owns, or only its instance. */
export interface Selection {
  /** 1 to 256 characters, valid Unicode, no control characters. */
  userId?: string;

  /** 1 to 256 characters, valid Unicode, no control characters. */
  environment?: string;

  /** 1 to 256 characters, valid Unicode, no control characters. */
  instance?: string;
}

export interface SentCommand {
  /** One of startSession, activateSession, rotateSession, releaseOwnership, claimOwnership, endSession, touchSession, changeAttributes, changeHandles, recordUsage, markCheckpoint, reportInvalid. */
  operation: string;

  /** For every operation except startSession. */
  sessionId?: string;

  /** The body of the single operation. */
  body?: { [name: string]: unknown };

  /** 1 to 256 characters; each command has its own. */
  idempotencyKey?: string;
}

/** One session; ids are never reused, ended sessions never return. */
export interface Session {
  /** UUID of one session instance. */
  sessionId: string;
  scope: Scope;
  status: 'starting' | 'active' | 'released' | 'ending' | 'ended';

  /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
  epoch: number;
  revision: number;
  owner?: Owner;
  previousOwner?: Owner;
  reservedFor?: Owner;

  /** UTC, milliseconds. */
  reservedUntil?: string;

  /** The length of the reservation; absent if a lapse made it. */
  reservedSeconds?: number;

  /** UTC, milliseconds. */
  expiresAt?: string;
  lease?: ShownLease;

  /** UTC, milliseconds. */
  drainUntil?: string;
  principal: string;

  /** UUID of one session instance. */
  parentId?: string;

  /** UUID of one session instance. */
  rootId: string;
  chainLength: number;
  policy?: Policy;

  /** Rotate with reason "reset" soon. */
  resetAdvised?: true;

  /** UUID of one session instance. */
  previousRootId?: string;

  /** UUID of one session instance. */
  recoveredFrom?: string;
  fromCheckpoint?: string;
  reason?: string;
  versionId?: string;

  /** Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased. */
  handles?: {
    /** a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear. */
    kind: string;
    hash: string;
  }[];

  /** SHA-256 over a salt and the attributes. */
  attributesDigest?: string;
  attributes: { [name: string]: unknown } | 'erased';

  /** UTC, milliseconds. */
  startedAt: string;

  /** UTC, milliseconds. */
  endedAt?: string;
  endCause?: 'ended' | 'superseded' | 'rotated' | 'expired' | 'invalid' | 'reset';
  endReason?: string;
  endedBy?: Owner;

  /** UUID of one session instance. */
  successorId?: string;

  /** `hash` of the handle in its rotation. */
  successorHandle?: string;
  usage?: UsageTotals;
  invalid?: {
    /** UTC, milliseconds. */
    at: string;
    reason: string;
  };
}

export interface SessionPage {
  sessions: PlacedSession[];

  /** Pass as `after` for the next page; absent in the last one. */
  next?: string;
}

export type SessionWithRefusals = Session & {
  /** Stops of this session that were not obeyed: the newest 100, newest first. */
  refusals: Refusal[];
};

/** How long ownership lasts without a sign of life. */
export interface ShownLease {
  /** A whole number from 1 to 2592000 (30 days). */
  seconds: number;

  /** How long the session waits for its old owner after a lapse; 60 when left out. */
  graceSeconds?: number;

  /** heartbeat when left out; use makes it an idle time-out. */
  renewOn?: 'heartbeat' | 'use';

  /** release when left out. */
  onLapse?: 'release' | 'end';

  /** When it ends unless renewed; only with `include=lease`, and in the list of all current sessions. */
  expiresAt?: string;
}

/** `current` comes from the read models and is at most a second old. `ledger`, `projection`, `relay` and `replicas` need the permission audit; the other members cover only the tenant of the caller. */
export interface Stats {
  /** When the figures were read. For a rate, divide a difference of figures by the difference of these. */
  at: string;
  current: CurrentFigures;
  traffic: TrafficFigures;
  relay?: RelayFigures;

  /** The ids of the replicas that are connected to Postgres, at most 100. */
  replicas?: string[];
  ledger?: LedgerFigures;
  projection?: ProjectionFigures;
  sync: {
    /** Reports that name the current session. */
    inSync: number;

    /** Reports that name another session of the scope. */
    outOfSync: number;

    /** Reports that name no session of the scope. */
    unknown: number;

    /** The share of reports in sync; absent if there are none. */
    rate?: number;

    /** The consumers with the most reports, at most 100. */
    consumers: {
      consumer: string;

      /** Reports that name the current session. */
      inSync: number;

      /** Reports that name another session of the scope. */
      outOfSync: number;

      /** Reports that name no session of the scope. */
      unknown: number;

      /** The share of reports in sync; absent if there are none. */
      rate?: number;
    }[];

    /** Reports that are not in sync, in pages. */
    list: {
      consumer: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId: string;
      state: 'out-of-sync' | 'unknown';

      /** UUID of one session instance. */
      sessionId: string;

      /** UUID of one session instance. */
      currentId?: string;

      /** UTC, milliseconds. */
      since: string;

      /** UTC, milliseconds. */
      reportedAt: string;
    }[];

    /** Pass as `after` for the next page. */
    next?: string;
  };
}

/** Commands of the tenant that this replica has answered. */
export interface TrafficFigures {
  /** The replica that answers; each replica counts its own commands. */
  replica: string;

  /** When it started counting. */
  since: string;

  /** Commands that were applied. */
  commands: number;

  /** Commands that the rules refused: 409, and `operate-required`. */
  refusals: number;

  /** Of all tenants; needs the permission audit. */
  all?: {
    /** Commands that were applied. */
    commands: number;

    /** Commands that the rules refused: 409, and `operate-required`. */
    refusals: number;
  };
}

/** `from` is absent if no session was current before, `to` if none is current after. */
export interface Transition {
  /** Why the current session changed. */
  source: 'started' | 'recovered' | 'rotated' | 'superseded' | 'ended' | 'expired' | 'invalid' | 'reset';

  /** UUID of one session instance. */
  from?: string;

  /** UUID of one session instance. */
  to?: string;
  by?: Owner;
  reason?: string;
  versionId?: string;

  /** UTC, milliseconds. */
  at: string;
  position: Position;
}

export interface TransitionPage {
  transitions: Transition[];

  /** Pass as `after` for the next page; absent in the last one. */
  next?: string;
}

/** What one operation used: at least one of these. */
export interface Usage {
  /** A whole number from 0 to 2^53-1. */
  inputTokens?: number;

  /** A whole number from 0 to 2^53-1. */
  outputTokens?: number;

  /** Of the input, those from a cache: a whole number from 0 to 2^53-1. */
  cachedTokens?: number;

  /** Milliseconds: a whole number from 0 to 2^53-1. */
  durationMs?: number;
  cost?: Money;

  /** 1 to 128 characters, valid Unicode, no control characters. */
  model?: string;
}

/** Usage sums of a session, a chain or a scope. */
export interface UsageTotals {
  /** How many reports. */
  operations: number;

  /** Sum of all reports. */
  inputTokens: number;

  /** Sum of all reports. */
  outputTokens: number;

  /** Sum of all reports. */
  cachedTokens: number;

  /** Sum of all reports. */
  durationMs: number;

  /** Exact sums by currency, which are never added to each other. */
  cost: { [name: string]: string };
}

/** Every operation by its id in /openapi.json. */
export interface Operations {
  /** Start a session, or join the current one. */
  startSession: {
    body: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;
      owner: Owner;

      /** supersede when left out. */
      onConflict?: 'supersede' | 'reject' | 'join';

      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      expectedEpoch?: number;

      /** active when left out. */
      phase?: 'starting' | 'active';
      lease?: Lease;

      /** at most 8, each once. */
      handles?: NewHandle[];

      /** Facts kept with the session, erasable: at most 4 KiB as JSON, nested at most 8 deep. */
      attributes?: object;
      policy?: Policy;

      /** 1 to 128 characters, no control characters; stays in the log, so no personal data. */
      fromCheckpoint?: string;
    };
    answer: CommandAnswer;
  };
  /** Confirm a session that was started in phase "starting". */
  activateSession: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner?: Owner;
    };
    answer: CommandAnswer;
  };
  /** Replace a session with its successor: compare-and-swap on session and epoch. */
  rotateSession: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner?: Owner;

      /** a-z, 0-9, _ . and -: build, metadata_generation, compact, chat_plan, resume, reset, or one of your own. */
      reason: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      versionId?: string;
      successorHandle?: Handle;

      /** at most 8, each once. */
      handles?: NewHandle[];
      usage?: Usage;
    };
    answer: CommandAnswer;
  };
  /** Give up ownership without ending the session, for one owner or for any. */
  releaseOwnership: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner?: Owner;
      to?: Owner;

      /** How long only `to` may claim; 60 when left out. */
      reservedSeconds?: number;
      force?: boolean;
    };
    answer: CommandAnswer;
  };
  /** Become the owner of a released session. */
  claimOwnership: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner: Owner;
      lease?: Lease;
      force?: boolean;
    };
    answer: CommandAnswer;
  };
  /** Stop a session, at once or after draining; a stale stop changes nothing and is recorded. */
  endSession: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      origin: Owner;

      /** 1 to 64 characters; stays in the log, so no personal data. */
      reason: string;

      /** The session ends when the owner confirms it by the same request without this, or after this many seconds. */
      drainSeconds?: number;
      force?: boolean;
    };
    answer: CommandAnswer;
  };
  /** Report use: renews a lease that is renewed on use. */
  touchSession: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body?: object;
    answer: CommandAnswer;
  };
  /** Change the session's attributes by a JSON merge patch. */
  changeAttributes: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner?: Owner;

      /** A JSON merge patch (RFC 7396). */
      attributes: object;
    };
    answer: CommandAnswer;
  };
  /** Bind and unbind outside names of the session and its scope. */
  changeHandles: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner?: Owner;

      /** at most 8, each once. */
      bind?: NewHandle[];

      /** at most 8, each once. */
      unbind?: Handle[];
    };
    answer: CommandAnswer;
  };
  /** Add the usage of an operation to the sums of its session, even if that has ended. */
  recordUsage: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      usage: Usage;
    };
    answer: CommandAnswer;
  };
  /** Label a session, so that a start can return to it by `fromCheckpoint`. */
  markCheckpoint: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** 1 to 128 characters, no control characters; stays in the log, so no personal data. */
      label: string;
    };
    answer: CommandAnswer;
  };
  /** Report a session as invalid, and continue from the latest valid one. */
  reportInvalid: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
      owner?: Owner;

      /** definite: the session can never be continued; transient: it may recover. */
      certainty: 'definite' | 'transient';

      /** 1 to 64 characters; stays in the log, so no personal data. */
      reason: string;

      /** latest-valid when left out. */
      fallback?: 'latest-valid' | 'start-fresh';
    };
    answer: CommandAnswer;
  };
  /** Send up to 500 commands: each is decided by itself, those of a scope in the order given. */
  sendCommands: {
    body: {
      /** from 1 to 500. */
      commands: SentCommand[];
    };
    answer: ManyAnswers;
  };
  /** The current sessions of up to 500 scopes. */
  currentSessions: {
    body: {
      /** from 1 to 500: scopes, or sessions or handles whose scope is meant. */
      of: (
        | {
            /** 1 to 256 characters, valid Unicode, no control characters. */
            userId: string;

            /** 1 to 256 characters, valid Unicode, no control characters. */
            projectId?: string;
          }
        | {
            /** a UUID, in upper or lower case. */
            sessionId: string;
          }
        | Handle
      )[];
    };
    answer: ManyCurrent;
  };
  /** Renew a lease: its owner's heartbeat. */
  renewLease: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    body: {
      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
    };
    answer: Renewed;
  };
  /** Renew up to 1,000 leases, with one result each, in the order of the request. */
  renewLeases: {
    body: {
      /** a UUID, in upper or lower case. */
      sessionId: string;

      /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
      epoch: number;
    }[];
    answer: RenewedMany;
  };
  /** The current session of a user and a project. */
  currentSession: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** Seconds to wait while the revision equals `after`; otherwise the answer comes at once. */
      wait?: number;

      /** The revision that is known; 0 when left out, which is that of a scope without a session. */
      after?: number;

      /** All of the user's current sessions, of any project, 100 a page. */
      all?: boolean;

      /** With `all`: the `next` of the previous page. */
      next?: string;

      /** an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past. */
      asOf?: string;

      /** Adds `lease.expiresAt`, the end of the lease unless it is renewed. All times then include what an outage has added. */
      include?: 'lease';
    };
    answer: Session | undefined;
  };
  /** Any session, including an ended one. */
  session: {
    params: {
      /** a UUID, in upper or lower case. */
      sessionId: string;
    };
    answer: SessionWithRefusals;
  };
  /** The one current session that all candidates identify. */
  resolve: {
    body: {
      /** from 1 to 16, the most explicit first: handles, or references of session and epoch. */
      candidates: (
        | Handle
        | {
            /** a UUID, in upper or lower case. */
            sessionId: string;

            /** Fencing token: rises at every change of the current session or of its owner, and at its end. */
            epoch: number;
          }
      )[];

      /** The first candidate decides, even if others differ. */
      override?: boolean;
    };
    answer: Resolved;
  };
  /** A scope's checkpoints, oldest first: at most 100. */
  checkpoints: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;
    };
    answer: CheckpointList;
  };
  /** A scope's history, in pages; an ignored stop has a count. */
  scopeEvents: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** A version; 0 when left out. */
      after?: number;

      /** 100 when left out. */
      limit?: number;
    };
    answer: EventPage;
  };
  /** A scope's sessions, the newest first, in pages; or those of one version of the project. */
  sessions: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** 100 when left out. */
      limit?: number;

      /** the `next` of an earlier page. */
      after?: string;

      /** a position, partition:sequence, as a Ledger-Position header gives it. */
      atLeast?: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      versionId?: string;
    };
    answer: SessionPage;
  };
  /** All of the tenant's current sessions that match, in pages. */
  listCurrent: {
    query?: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      environment?: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      instance?: string;
      status?: 'starting' | 'active' | 'released' | 'ending';

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** Those that started before it: an RFC 3339 time (a + in it is sent as %2B). */
      before?: string;

      /** Those with a lease that ends before this unless it is renewed: an RFC 3339 time (a + in it is sent as %2B). */
      leaseBefore?: string;

      /** Sessions for which a reset is advised; `false`: the others. */
      resetAdvised?: boolean;

      /** newest, by their start, when left out; lease: only sessions with a lease, the earliest end first. */
      sort?: 'newest' | 'oldest' | 'lease';

      /** 100 when left out. */
      limit?: number;

      /** The `next` of an earlier page, with the same `sort`. */
      next?: string;
    };
    answer: CurrentList;
  };
  /** Sessions made with a version of any project, newest first, in pages. */
  versionSessions: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      versionId: string;

      /** Page size; 100 when left out. */
      limit?: number;

      /** The `next` of an earlier page. */
      next?: string;
    };
    answer: SessionPage;
  };
  /** The chain of the current or latest session, or of another one, from its tip to its root, in pages. */
  chain: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** 100 when left out. */
      limit?: number;

      /** the `next` of an earlier page. */
      after?: string;

      /** a position, partition:sequence, as a Ledger-Position header gives it. */
      atLeast?: string;

      /** a UUID, in upper or lower case. */
      sessionId?: string;

      /** an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past. */
      asOf?: string;
    };
    answer: ChainPage;
  };
  /** Usage of a scope, summed over all its chains. */
  usage: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** a position, partition:sequence, as a Ledger-Position header gives it. */
      atLeast?: string;

      /** an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past. */
      asOf?: string;
    };
    answer: ScopeUsage;
  };
  /** Every change of which session is current, the newest first, in pages. */
  transitions: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** 100 when left out. */
      limit?: number;

      /** the `next` of an earlier page. */
      after?: string;

      /** a position, partition:sequence, as a Ledger-Position header gives it. */
      atLeast?: string;
    };
    answer: TransitionPage;
  };
  /** A partition's events by number, in pages. */
  feed: {
    query: {
      partition: number;

      /** A sequence; 0 when left out. */
      after?: number;

      /** 100 when left out. */
      limit?: number;
    };
    answer: EventPage;
  };
  /** Events of all partitions as they happen, after the last id received or from now on. */
  feedStream: {
    query?: {
      /** The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence. */
      lastEventId?: string;
    };
    answer: ReadableStream<Uint8Array>;
  };
  /** A scope's events as they happen, after the last id received or from now on. */
  scopeStream: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence. */
      lastEventId?: string;
    };
    answer: ReadableStream<Uint8Array>;
  };
  /** All of the tenant's events as they happen, from now on. */
  tenantStream: {
    answer: ReadableStream<Uint8Array>;
  };
  /** All current sessions, one partition at a time, each preceded by its position. */
  snapshot: {
    answer: ReadableStream<Uint8Array>;
  };
  /** End or release all sessions of a user or of an environment, as a job. */
  startBulk: {
    body: {
      select: Selection;
      action: 'end' | 'release';

      /** 1 to 64 characters; stays in the log, so no personal data. */
      reason: string;
    };
    answer: BulkJob;
  };
  /** Bulk jobs, open or finished, the newest first, in pages. */
  bulkJobs: {
    query?: {
      /** a UUID, in upper or lower case. */
      after?: string;

      /** 100 when left out. */
      limit?: number;
    };
    answer: JobPage;
  };
  /** The progress of a bulk job. */
  bulkJob: {
    params: {
      /** a UUID, in upper or lower case. */
      jobId: string;
    };
    query?: {
      /** Seconds to wait for its end. */
      wait?: number;
    };
    answer: BulkJob;
  };
  /** Erase the details of a scope, or without projectId of all scopes of the user, at most 500 a request. */
  eraseDetails: {
    query: {
      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;
    };
    answer: ErasedAnswer;
  };
  /** Report which sessions consumers hold, up to 1,000 at once. */
  report: {
    body: {
      /** A-Z, a-z, 0-9, _ . : and -: who holds a session. */
      consumer: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;

      /** a UUID, in upper or lower case. */
      sessionId: string;
    }[];
    answer: ReportsTaken;
  };
  /** Withdraw a consumer's reports, all of them or the one about a scope. */
  withdrawReports: {
    query: {
      /** A-Z, a-z, 0-9, _ . : and -: who holds a session. */
      consumer: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      userId?: string;

      /** 1 to 256 characters, valid Unicode, no control characters. */
      projectId?: string;
    };
    answer: ReportsWithdrawn;
  };
  /** Statistics of the ledger, and which consumers are in sync. */
  stats: {
    query?: {
      /** A-Z, a-z, 0-9, _ . : and -: who holds a session. */
      consumer?: string;

      /** How old the answer may be, in seconds: callers that poll the same figures share it; 0 when left out. */
      maxAge?: number;

      /** Page size of the list; 100 when left out. */
      limit?: number;

      /** the `next` of an earlier page. */
      after?: string;
    };
    answer: Stats;
  };
  /** The ledger's name in what it signs, and the public keys. */
  auditKeys: {
    answer: AuditKeys;
  };
  /** A checkpoint of every partition, at most a second old. */
  auditCheckpoints: {
    answer: Checkpoints;
  };
  /** A partition's checkpoint, at most a second old. */
  auditCheckpoint: {
    query: {
      partition: number;
    };
    answer: ReadableStream<Uint8Array>;
  };
  /** A partition's checkpoint, where programs for tiled logs look for it (c2sp.org/tlog-tiles). */
  auditPartition: {
    params: {
      partition: string;
    };
    answer: ReadableStream<Uint8Array>;
  };
  /** Hashes of a partition's tree, by the addresses of c2sp.org/tlog-tiles: they never change. */
  auditTile: {
    params: {
      partition: string;

      /** `<level>/<index>`, with `.p/<width>` for a partial one: `0/x001/234.p/17`. */
      tile: string;
    };
    answer: ReadableStream<Uint8Array>;
  };
  /** Stored checkpoints: one an hour while a partition grows, and one at the end of each archive. */
  auditKept: {
    query: {
      partition: number;
      before?: number;

      /** 100 when left out. */
      limit?: number;
    };
    answer: KeptCheckpoints;
  };
  /** Proves that an event is in the log, archived or not (c2sp.org/tlog-proof). */
  auditProof: {
    query: {
      /** partition:sequence, which is the event's id, too. */
      position: string;
    };
    answer: ReadableStream<Uint8Array>;
  };
  /** Proves that a tree has grown from an earlier one. */
  auditConsistency: {
    query: {
      partition: number;

      /** Leaves of a tree: the sequence of its last event. */
      from: number;

      /** Leaves of a tree: the sequence of its last event. */
      to: number;
    };
    answer: ConsistencyProof;
  };
  /** The caller, by its credential, and its permissions. */
  access: {
    answer: CallerView;
  };
  /** Create a key; its secret is in this answer and nowhere else. */
  createKey: {
    body: {
      /** A-Z, a-z, 0-9, . _ ~ and -, at most 64. */
      tenant?: string;

      /** The key may have the permission audit, and its admin covers all tenants. */
      ledgerWide?: boolean;

      /** 1 to 256 printable ASCII characters without quotes and backslashes; stays in the log for good. */
      principal?: string;
      permissions: ('read' | 'write' | 'operate' | 'audit' | 'admin')[];

      /** Environments that it may name as owner, origin or heir; any when left out. */
      environments?: string[];

      /** As many as its tenant may, when left out. */
      limits?: {
        /** Items a second. */
        commands?: number;

        /** Items a second. */
        reads?: number;
      };

      /** 1 to 128 characters, for people. */
      name: string;

      /** Never when left out. */
      expiresInSeconds?: number;
    };
    answer: NewKey;
  };
  /** The tenant's keys, or with a ledger-wide credential all, in pages. */
  listKeys: {
    query?: {
      /** 10 characters of 0-9, A-Z and a-z. */
      after?: string;

      /** 100 when left out. */
      limit?: number;
    };
    answer: KeyPage;
  };
  /** Create a new secret for the same principal; the old one expires after an overlap. */
  rotateKey: {
    params: {
      keyId: string;
    };
    body?: {
      /** How long the old secret stays valid beside the new one; 86400 (24 h) when left out. */
      overlapSeconds?: number;
    };
    answer: NewKey;
  };
  /** Revoke a key, on every replica within a second. */
  revokeKey: {
    params: {
      keyId: string;
    };
    answer: AccessKey;
  };
  /** What a problem's type means, and what to do about it. */
  problem: {
    params: {
      code: string;
    };
    answer: ProblemPage;
  };
}

export type OperationId = keyof Operations;

export const routes = {
  startSession: { method: 'POST', path: '/v1/sessions' },
  activateSession: { method: 'POST', path: '/v1/sessions/:sessionId/activate' },
  rotateSession: { method: 'POST', path: '/v1/sessions/:sessionId/rotate' },
  releaseOwnership: { method: 'POST', path: '/v1/sessions/:sessionId/release' },
  claimOwnership: { method: 'POST', path: '/v1/sessions/:sessionId/claim' },
  endSession: { method: 'POST', path: '/v1/sessions/:sessionId/end' },
  touchSession: { method: 'POST', path: '/v1/sessions/:sessionId/touch' },
  changeAttributes: { method: 'PATCH', path: '/v1/sessions/:sessionId/attributes' },
  changeHandles: { method: 'POST', path: '/v1/sessions/:sessionId/handles' },
  recordUsage: { method: 'POST', path: '/v1/sessions/:sessionId/usage' },
  markCheckpoint: { method: 'POST', path: '/v1/sessions/:sessionId/checkpoints' },
  reportInvalid: { method: 'POST', path: '/v1/sessions/:sessionId/invalid' },
  sendCommands: { method: 'POST', path: '/v1/commands' },
  currentSessions: { method: 'POST', path: '/v1/current', reads: true },
  renewLease: { method: 'POST', path: '/v1/sessions/:sessionId/renew' },
  renewLeases: { method: 'POST', path: '/v1/leases/renew' },
  currentSession: { method: 'GET', path: '/v1/current' },
  session: { method: 'GET', path: '/v1/sessions/:sessionId' },
  resolve: { method: 'POST', path: '/v1/resolve', reads: true },
  checkpoints: { method: 'GET', path: '/v1/checkpoints' },
  scopeEvents: { method: 'GET', path: '/v1/events' },
  sessions: { method: 'GET', path: '/v1/sessions' },
  listCurrent: { method: 'GET', path: '/v1/sessions/current' },
  versionSessions: { method: 'GET', path: '/v1/sessions/of-version' },
  chain: { method: 'GET', path: '/v1/chain' },
  usage: { method: 'GET', path: '/v1/usage' },
  transitions: { method: 'GET', path: '/v1/transitions' },
  feed: { method: 'GET', path: '/v1/feed' },
  feedStream: { method: 'GET', path: '/v1/feed/stream' },
  scopeStream: { method: 'GET', path: '/v1/stream' },
  tenantStream: { method: 'GET', path: '/v1/stream/tenant' },
  snapshot: { method: 'GET', path: '/v1/snapshot' },
  startBulk: { method: 'POST', path: '/v1/bulk' },
  bulkJobs: { method: 'GET', path: '/v1/bulk' },
  bulkJob: { method: 'GET', path: '/v1/bulk/:jobId' },
  eraseDetails: { method: 'DELETE', path: '/v1/details' },
  report: { method: 'POST', path: '/v1/reports' },
  withdrawReports: { method: 'DELETE', path: '/v1/reports' },
  stats: { method: 'GET', path: '/v1/stats' },
  auditKeys: { method: 'GET', path: '/v1/audit/key' },
  auditCheckpoints: { method: 'GET', path: '/v1/audit/checkpoints' },
  auditCheckpoint: { method: 'GET', path: '/v1/audit/checkpoint' },
  auditPartition: { method: 'GET', path: '/v1/audit/:partition/checkpoint' },
  auditTile: { method: 'GET', path: '/v1/audit/:partition/tile/:tile' },
  auditKept: { method: 'GET', path: '/v1/audit/kept' },
  auditProof: { method: 'GET', path: '/v1/audit/proof' },
  auditConsistency: { method: 'GET', path: '/v1/audit/consistency' },
  access: { method: 'GET', path: '/v1/access' },
  createKey: { method: 'POST', path: '/v1/keys' },
  listKeys: { method: 'GET', path: '/v1/keys' },
  rotateKey: { method: 'POST', path: '/v1/keys/:keyId/rotate' },
  revokeKey: { method: 'DELETE', path: '/v1/keys/:keyId' },
  problem: { method: 'GET', path: '/problems/:code' },
} as const;

/** What each operation answers; streams are left out. */
export const answers = {
  startSession: 'CommandAnswer',
  activateSession: 'CommandAnswer',
  rotateSession: 'CommandAnswer',
  releaseOwnership: 'CommandAnswer',
  claimOwnership: 'CommandAnswer',
  endSession: 'CommandAnswer',
  touchSession: 'CommandAnswer',
  changeAttributes: 'CommandAnswer',
  changeHandles: 'CommandAnswer',
  recordUsage: 'CommandAnswer',
  markCheckpoint: 'CommandAnswer',
  reportInvalid: 'CommandAnswer',
  sendCommands: 'ManyAnswers',
  currentSessions: 'ManyCurrent',
  renewLease: 'Renewed',
  renewLeases: 'RenewedMany',
  currentSession: 'Session',
  session: 'SessionWithRefusals',
  resolve: 'Resolved',
  checkpoints: 'CheckpointList',
  scopeEvents: 'EventPage',
  sessions: 'SessionPage',
  listCurrent: 'CurrentList',
  versionSessions: 'SessionPage',
  chain: 'ChainPage',
  usage: 'ScopeUsage',
  transitions: 'TransitionPage',
  feed: 'EventPage',
  startBulk: 'BulkJob',
  bulkJobs: 'JobPage',
  bulkJob: 'BulkJob',
  eraseDetails: 'ErasedAnswer',
  report: 'ReportsTaken',
  withdrawReports: 'ReportsWithdrawn',
  stats: 'Stats',
  auditKeys: 'AuditKeys',
  auditCheckpoints: 'Checkpoints',
  auditKept: 'KeptCheckpoints',
  auditConsistency: 'ConsistencyProof',
  access: 'CallerView',
  createKey: 'NewKey',
  listKeys: 'KeyPage',
  rotateKey: 'NewKey',
  revokeKey: 'AccessKey',
  problem: 'ProblemPage',
} as const;

export type AnswerName = (typeof answers)[keyof typeof answers];

/** Everything that can go wrong, by code: a problem's `type` is `/problems/<code>`. */

export const problems = {
  'stale-epoch': {
    status: 409,
    title: 'The owner or the session has changed since that epoch',
    retryable: false,
  },
  'stale-session': { status: 409, title: 'Another session is current', retryable: false },
  'future-epoch': { status: 409, title: 'The ledger has not reached this epoch', retryable: false },
  'session-active': { status: 409, title: 'The scope has a current session', retryable: false },
  'session-not-active': { status: 409, title: 'The session has no active owner', retryable: false },
  'session-ending': { status: 409, title: 'The session is ending', retryable: true },
  'session-ended': { status: 409, title: 'The session has ended and none is current', retryable: false },
  reserved: { status: 409, title: 'The session is reserved for another owner', retryable: true },
  'no-lease': { status: 409, title: 'The session has no lease to renew', retryable: false },
  'not-owner': { status: 409, title: 'The session has another owner', retryable: false },
  'handle-taken': { status: 409, title: 'The handle is already bound to something else', retryable: false },
  'too-many-handles': { status: 409, title: 'The session has too many handles', retryable: false },
  'operate-required': { status: 403, title: 'This needs the operate permission', retryable: false },
  'chain-too-long': {
    status: 409,
    title: 'The chain has reached the length that its policy allows',
    retryable: false,
  },
  'usage-overflow': { status: 409, title: 'The usage totals would be too large', retryable: false },
  'too-many-currencies': {
    status: 409,
    title: 'The session already has costs in eight currencies',
    retryable: false,
  },
  'session-invalid': { status: 409, title: 'The session was reported invalid', retryable: false },
  'unknown-checkpoint': { status: 404, title: 'The scope has no such checkpoint', retryable: false },
  'checkpoint-taken': {
    status: 409,
    title: 'The label names a checkpoint of another session',
    retryable: false,
  },
  'too-many-checkpoints': { status: 409, title: 'The scope already has 100 checkpoints', retryable: false },
  'unknown-handle': { status: 404, title: 'The handle is not bound', retryable: false },
  'session-mismatch': { status: 409, title: 'The candidates mean different sessions', retryable: false },
  'position-ahead': { status: 409, title: 'The ledger has not reached this position', retryable: false },
  archived: { status: 410, title: 'The next events are in the archive', retryable: false },
  unauthenticated: { status: 401, title: 'The request has no valid credential', retryable: false },
  'permission-required': { status: 403, title: 'The credential does not allow this', retryable: false },
  'rate-limited': {
    status: 429,
    title: 'Too many requests of this credential, its tenant or this address',
    retryable: true,
    retryAfter: 1,
  },
  misdirected: { status: 421, title: 'This host name does not belong to the service', retryable: false },
  'foreign-origin': {
    status: 403,
    title: 'Web pages of another origin may not call this service',
    retryable: false,
  },
  'unknown-session': { status: 404, title: 'There is no such session', retryable: false },
  'unknown-key': { status: 404, title: 'There is no such key', retryable: false },
  'key-made': { status: 409, title: 'The same request has already created a key', retryable: false },
  'unknown-job': { status: 404, title: 'There is no such job', retryable: false },
  'no-current-session': { status: 404, title: 'The scope has no current session', retryable: false },
  'unknown-version': { status: 404, title: 'No session was created for this version', retryable: false },
  'projection-behind': {
    status: 503,
    title: 'The read models have not reached this position yet',
    retryable: true,
    retryAfter: 1,
  },
  'invalid-request': { status: 400, title: 'The request is not valid', retryable: false },
  'invalid-json': { status: 400, title: 'The body is not valid JSON', retryable: false },
  'invalid-attributes': { status: 400, title: 'The attributes cannot be stored', retryable: false },
  'body-too-large': { status: 413, title: 'The body is too large', retryable: false },
  'headers-too-large': { status: 431, title: 'The address or the headers are too large', retryable: false },
  'request-timeout': { status: 408, title: 'The request took too long to arrive', retryable: true },
  'invalid-http': { status: 400, title: 'The request is not valid HTTP', retryable: false },
  'unsupported-media-type': { status: 415, title: 'The body must be application/json', retryable: false },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met', retryable: false },
  'not-found': { status: 404, title: 'There is nothing at this address', retryable: false },
  'method-not-allowed': { status: 405, title: 'This address does not support this method', retryable: false },
  'unknown-method': { status: 501, title: 'The service does not support this method', retryable: false },
  'key-reused': { status: 422, title: 'The Idempotency-Key was used for another request', retryable: false },
  overloaded: { status: 503, title: 'Too many requests are waiting', retryable: true, retryAfter: 1 },
  timeout: {
    status: 503,
    title: 'The command waited too long and was not applied',
    retryable: true,
    retryAfter: 1,
  },
  unavailable: {
    status: 503,
    title: 'The database is unavailable at the moment',
    retryable: true,
    retryAfter: 2,
  },
  'unknown-outcome': {
    status: 503,
    title: 'It is not yet known whether the command was applied',
    retryable: true,
    retryAfter: 5,
  },
  closing: { status: 503, title: 'The service is stopping', retryable: true, retryAfter: 1 },
  internal: { status: 500, title: 'The service failed', retryable: false },
} as const;

export type ProblemCode = keyof typeof problems;

/** The events that this version knows. */
export const EVENT_TYPES = [
  'SessionStarted',
  'SessionActivated',
  'SessionSuperseded',
  'SessionRotated',
  'OwnershipReleased',
  'OwnershipClaimed',
  'OwnershipLapsed',
  'SessionExpired',
  'AttributesChanged',
  'HandleBound',
  'HandleUnbound',
  'DetailsErased',
  'SessionEnding',
  'SessionEnded',
  'StopIgnored',
  'UsageRecorded',
  'CheckpointMarked',
  'SessionInvalidated',
  'InvalidReported',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The statuses of current sessions. */
export const CURRENT_STATUSES = ['starting', 'active', 'released', 'ending'] as const;

/** After a command that answers so, a session's lease runs from its beginning. */
export const TIMER_OUTCOMES: readonly string[] = [
  'activated',
  'rotated',
  'released',
  'claimed',
  'changed',
  'ending',
  'ended',
  'marked-invalid',
];
