import type {
  AsOf,
  CurrentStatus,
  Draft,
  Epoch,
  IgnoredPart,
  Instant,
  JsonObject,
  Outcome,
  Owner,
  Position,
  Refusal,
  ScopeKey,
  Selection,
  Session,
  SessionId,
  Status,
  StopIgnoredWhy,
} from '#session';
import type { NodeHash, TilePlace } from '#tlog';
import type { Caller, Permission } from './caller.js';

/**
 * What a ledger can do, whatever it is kept in: handlers are written for this, once. Postgres implements it, and memory.
 * Everything may reject with an error whose code is a problem's (`unavailable`, `overloaded` …); what else it rejects
 * with stands where it is declared.
 */
export interface Ledger extends Naming {
  /** `/ledgers/<id>`: where its events say that they are from. */
  readonly source: string;
  /** Decides a command, and keeps what follows from it. */
  submit(submission: Submission): Promise<Answer>;
  /** The lease's new end; undefined when only the decider can say what is the matter with it. */
  renew(renewal: Renewal): Promise<Instant | undefined>;
  /** A scope's latest session; undefined when it never had one. */
  latest(scope: ScopePlace, withLease: boolean): Promise<Latest | undefined>;
  readonly watch: Watch;
  readonly history: PastOfScopes;
  readonly finder: MeaningOfNames;
  readonly scopes: ScopesOfUsers;
  readonly models: Models;
  readonly reached: Reached;
  readonly jobs: JobOrders;
  readonly reports: HeldSessions;
  readonly tail: Growing;
  readonly keys: KeyStore;
  readonly trees: Trees;
  readonly running: Running;
}

/** How a ledger names what is new, and what is called otherwise outside. */
export interface Naming {
  readonly partitions: number;
  /** A UUIDv7 that carries its partition. */
  newSessionId(partition: number): SessionId;
  /** A UUID; every event of the command carries it. */
  newCommandId(): string;
  /** The keyed hash of an outside name. */
  hashOf(name: string): string;
  /** Attributes' JSON on its way into details, with what stands for it in events. */
  newDetails(body: string): NewDetails;
  /** A text by something of fixed size: 32 hex digits. */
  digest(text: string): string;
}

/** A scope and where it lives. */
export interface ScopePlace {
  scopeKey: ScopeKey;
  partition: number;
}

/** A scope as tables and pages name it: what comes after it is the next page. */
export interface Place {
  partition: number;
  /** 32 hex digits. */
  scopeId: string;
}

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
  /** For ChangeAttributes: what to merge into the attributes. */
  patch?: JsonObject;
  /** The trace in which it was asked for; the command's own events carry it. */
  traceparent?: string;
  /** The list that it came in, the same for all that did: lists take turns with each other and with what comes alone. */
  list?: object;
}

/** Attributes' JSON by digest; one that is missing was erased. */
export type Shown = ReadonlyMap<string, string>;

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
  | NotObeyed;

export type NotObeyed =
  | { kind: 'refused'; refusal: Refusal; position: Position; attributes?: Shown }
  | { kind: 'unknown-session' }
  /** The idempotency key was used before with another body. */
  | { kind: 'key-reused' }
  /** The attributes would be larger than MOST_ATTRIBUTE_BYTES. */
  | { kind: 'attributes-too-large'; bytes: number };

export interface Renewal {
  sessionId: SessionId;
  epoch: Epoch;
  /** Who asks: it has to be the session's principal, or of its tenant with `operate`. */
  by: Pick<Caller, 'tenant' | 'principal' | 'operate'>;
}

/** A session as it is stored. */
export interface StoredSession {
  /** The session's JSON, without attributes. */
  json: string;
  /** The attributes' JSON: `erased` when they have been forgotten, undefined when there never were any. */
  attributes?: string | 'erased';
}

/** A scope's latest session as it is stored. */
export interface Latest extends StoredSession {
  /** How many events the scope has. */
  version: number;
  revision: number;
  /** Whether the session is over: then the scope has no current one. */
  ended: boolean;
  /** When what time brings about will come, an outage taken into account; only if that was asked for. */
  due?: Due;
}

/** What time brings about: the end of a lease, which a renewal moves, or else of the session; that of a reservation. */
export interface Due {
  leaseUntil?: Instant;
  sessionUntil?: Instant;
  reservedUntil?: Instant;
}

export interface Watch {
  /** Whether the ledger is stopping: whoever was woken must not wait again. */
  readonly closed: boolean;
  /**
   * Resolves at the scope's next event, after `ms`, or when `signal` aborts. Call it before reading: an event between
   * the reading and the waiting is then not missed. Throws `overloaded`.
   */
  next(scopeKey: string, ms: number, signal?: AbortSignal): Promise<void>;
}

/** An event of a scope's stream. */
export interface ScopeEvent {
  position: Position;
  /** Its number in the scope: dense. */
  version: number;
  /** The event document. */
  json: string;
  /** For StopIgnored: how often the same stop was asked for, the first time included. */
  count?: number;
}

/** A stop that was not obeyed, and how often it came; more of it stands in the event that recorded the first time. */
export type SessionRefusal = {
  why: StopIgnoredWhy;
  count: number;
  /** Of that event. */
  position: Position;
} & ({ archived: true } | { origin: Owner; epoch: number; at: Instant });

/** A session to return to. */
export interface Checkpoint {
  label: string;
  sessionId: SessionId;
  markedAt: Instant;
}

/** What a scope's readers got then. */
export type Past =
  | { future: true }
  /**
   * The scope's latest session then, which may have ended, and the position of the event that carries it. `until` is the
   * sequence of the scope's last event then, of any kind.
   */
  | { future: false; session: Session; position: Position; until: number }
  | { future: false; session: undefined };

export interface PastOfScopes {
  /** A session and its scope; undefined when no partition knows the id. */
  session(
    sessionId: SessionId,
    tenant: string,
  ): Promise<{ session: Session; scopeKey: ScopeKey } | undefined>;
  /** The stops of a tenant's session that were not obeyed, the newest first, at most `limit`. */
  refusals(sessionId: SessionId, tenant: string, limit: number): Promise<SessionRefusal[]>;
  /** The JSON of a tenant's attributes by their digest; undefined when they were erased. */
  attributes(partition: number, digest: string, tenant: string): Promise<string | undefined>;
  /** A scope's events after a version, oldest first. Rejects with ArchivedError when the first is archived. */
  events(scopeKey: ScopeKey, after: number, limit: number): Promise<ScopeEvent[]>;
  /** A scope's checkpoints, oldest first: at most 100. */
  checkpoints(partition: number, scopeKey: ScopeKey): Promise<Checkpoint[]>;
  /** A scope's session as of a position of its partition, or as of a time (the end of that millisecond). */
  asOf(scope: ScopePlace, asOf: AsOf): Promise<Past>;
  /** All current sessions, one partition at a time, each preceded by its position. */
  snapshot(): AsyncIterable<{ position: Position } | StoredSession>;
}

/** A session that a handle or a session id means, and what its scope's latest is now. */
export interface Meant {
  scopeKey: ScopeKey;
  session: Session;
  latest: Session;
}

export interface MeaningOfNames {
  /** By hash; absent: nobody of the tenant has it. */
  byHandle(hashes: readonly string[], tenant: string): Promise<ReadonlyMap<string, Meant>>;
  /** By session id; absent: the tenant has none such. */
  bySession(ids: readonly SessionId[], tenant: string): Promise<ReadonlyMap<SessionId, Meant>>;
}

/** A current session of a user, as it is stored. */
export interface UserSession extends Place, StoredSession {}

/** All scopes of a user, whatever their projects; every scope key of the user names it. */
export interface ScopesOfUsers {
  /** The current sessions after a place, at most `limit`. */
  current(scopeKey: ScopeKey, after: Place | undefined, limit: number): Promise<UserSession[]>;
  /** Scopes that have details, at most `limit`. */
  detailed(scopeKey: ScopeKey, limit: number): Promise<ScopeKey[]>;
  /** Whether this scope has details. */
  hasDetails(scopeKey: ScopeKey): Promise<boolean>;
}

/** One page, and the sequence that the partition's projection stood at when it was read. */
export interface ProjectedPage<Row> {
  reached: number;
  rows: Row[];
}

export interface ProjectedSession extends StoredSession {
  sessionId: SessionId;
  /** Sequence of the last event that changed it. */
  sequence: number;
  /** Sequence of the event that began it: what the next page is asked for with. */
  started: number;
}

export interface ProjectedTransition {
  json: string;
  sequence: number;
}

/** What was used: the JSON of UsageTotals, null while that is not known. */
export interface ProjectedUsage {
  reached: number;
  usage: string | null;
}

export type ProjectedChain = ProjectedPage<ProjectedSession> & ProjectedUsage;

/** Nothing that came after `until`, a sequence, is shown. `tip` was the scope's latest session then. */
export interface AsOfThen {
  until: number;
  tip: SessionId;
}

/** A page of what came before a sequence; the newest when left out. */
export interface Newest {
  before?: number | undefined;
  limit: number;
}

/** Which of a tenant's current sessions are meant; what is left out may be any. */
export interface CurrentFilter {
  environment?: string | undefined;
  instance?: string | undefined;
  status?: CurrentStatus | undefined;
  projectId?: string | undefined;
  /** Started before. */
  before?: Instant | undefined;
  /** With a lease that is over before, unless it is renewed. */
  leaseBefore?: Instant | undefined;
  resetAdvised?: boolean | undefined;
}

/** `lease`: those with a lease, the one first whose lease is over first. */
export type CurrentOrder = 'newest' | 'oldest' | 'lease';

export interface CurrentPage {
  order: CurrentOrder;
  /** What came last in the page before: when it started, or when its lease is over. */
  after?: { at: Instant; sessionId: SessionId } | undefined;
  limit: number;
}

/** A current session among all of a tenant. */
export interface ListedSession extends ProjectedSession {
  partition: number;
  /** The end of its lease, unless it is renewed. */
  leaseUntil?: Instant;
}

/** How many current sessions a tenant has. */
export interface CurrentCounts {
  byStatus: { status: Status; count: number }[];
  /** The 50 that have the most, those first; without environment: those that nobody owns. */
  byEnvironment: { environment?: string; count: number }[];
}

/** The read models. */
export interface Models {
  /** A tenant's current sessions that match, in the page's order. */
  current(tenant: string, filter: CurrentFilter, page: CurrentPage): Promise<ListedSession[]>;
  counts(tenant: string): Promise<CurrentCounts>;
  /**
   * Sessions of a tenant that a version of any project was made with, the newest first: of the next `limit` of anybody
   * after a session. `last`: where that look ended; undefined when there are no more.
   */
  ofVersion(
    tenant: string,
    page: { versionId: string; after?: SessionId | undefined; limit: number },
  ): Promise<{ rows: (ProjectedSession & { partition: number })[]; last?: SessionId }>;
  /** A scope's sessions that began before a sequence, the newest first; of one version of the project when given. */
  sessions(
    scope: ScopePlace,
    page: Newest & { versionId?: string | undefined },
  ): Promise<ProjectedPage<ProjectedSession>>;
  /**
   * A session of the scope and those before it in its chain; of the scope's latest when none is named. With `asOf` each
   * but the tip, which the caller knows, is as it was.
   */
  chain(
    scope: ScopePlace,
    page: { from?: SessionId | undefined; limit: number; asOf?: AsOfThen | undefined },
  ): Promise<ProjectedChain>;
  /** What was used in all of a scope, as of a sequence. */
  usage(scope: ScopePlace, until?: number): Promise<ProjectedUsage>;
  /** A scope's transitions before a sequence, the newest first. */
  transitions(scope: ScopePlace, page: Newest): Promise<ProjectedPage<ProjectedTransition>>;
}

/** How far the read models have come. */
export interface Reached {
  /** Where every partition stands. */
  look(): Promise<ReadonlyMap<number, number>>;
  /** Whether a partition's projection comes to a sequence within `ms`, or before `signal` aborts. */
  wait(partition: number, sequence: number, ms: number, signal?: AbortSignal): Promise<boolean>;
  /** Whether the log itself has not come to a sequence, so that waiting for it is in vain. */
  isAhead(partition: number, sequence: number): Promise<boolean>;
}

/** What an operator wants done. */
export interface JobOrder {
  tenant: string;
  principal: string;
  select: Selection;
  action: 'end' | 'release';
  reason: string;
}

export interface JobCounts {
  /** Sessions that matched when they were read; the sum of the others. */
  examined: number;
  changed: number;
  /** They had ended, or did not match any more, or there was nothing to do. */
  skipped: number;
  /** The log refused their commands; a bug. */
  failed: number;
}

/** A job as it is told of. */
export interface JobState extends JobOrder {
  id: string;
  counts: JobCounts;
  createdAt: Instant;
  updatedAt: Instant;
  finishedAt?: Instant;
  /** What comes after it has not been looked at; its partition is the number of those that are done. */
  after: Pick<Place, 'partition'>;
}

export interface JobOrders {
  /**
   * A new job, or the one that the same key has made before; undefined when the key was used for something else.
   * Rejects with `overloaded` when too many are open.
   */
  create(order: JobOrder, receipt?: ReceiptKey): Promise<JobState | undefined>;
  read(id: string, tenant: string): Promise<JobState | undefined>;
  /** A tenant's, the newest first, at most `limit`: those that were ordered before the one with this id. */
  list(tenant: string, before: string | undefined, limit: number): Promise<JobState[]>;
}

/** Which session a consumer holds for a scope. */
export interface Report extends ScopePlace {
  consumer: string;
  sessionId: SessionId;
}

export interface SyncFigures {
  consumer: string;
  inSync: number;
  outOfSync: number;
  unknown: number;
}

/** A report that is not of the current session. */
export interface OutOfSync {
  consumer: string;
  scopeKey: ScopeKey;
  /** `unknown`: the scope never had such a session. */
  state: 'out-of-sync' | 'unknown';
  sessionId: SessionId;
  /** Absent when the scope has none. */
  currentId?: SessionId;
  since: Instant;
  reportedAt: Instant;
}

/** Where a page of those out of sync ends. */
export interface ReportPlace {
  consumer: string;
  partition: number;
  /** A UUID. */
  scopeId: string;
}

export interface OutOfSyncPage {
  /** Everybody's when left out. */
  consumer?: string | undefined;
  after?: ReportPlace | undefined;
  limit: number;
}

/** What consumers say that they hold. */
export interface HeldSessions {
  /** Keeps reports, of several about one consumer and scope the last. Says how many old ones were forgotten for them. */
  take(tenant: string, reports: readonly Report[]): Promise<{ taken: number; dropped: number }>;
  /** Takes a consumer's reports back, all of them or that about one scope. Says how many there were. */
  withdraw(tenant: string, consumer: string, scope?: ScopePlace): Promise<number>;
  /** A tenant's figures by consumer, those with the most reports first. */
  figures(tenant: string, consumer?: string): Promise<SyncFigures[]>;
  /** A tenant's reports that are not in sync, in the order of consumer and place; where to go on when there are more. */
  outOfSync(tenant: string, page: OutOfSyncPage): Promise<{ list: OutOfSync[]; next?: ReportPlace }>;
}

/** The log by partition, as it grows. */
export interface Growing {
  /** How often the past of the log has changed: ids of events are good for one such time. */
  readonly restores: number;
  /** Whether it is a copy that comes after another one: what is not here may be there. */
  readonly isStandby: boolean;
  /** The last sequence of each partition that is known here. */
  heads(): number[];
  /** The last sequence of each partition as of now. */
  storedHeads(): Promise<number[]>;
  /** Events after a sequence: their documents. Rejects with ArchivedError when the first is archived. */
  read(
    partition: number,
    after: number,
    limit: number,
  ): Promise<readonly { sequence: number; bytes: { toString(): string } }[]>;
  /** Rejects with ArchivedError when what comes after one of these is archived. */
  refuseArchived(vector: readonly number[]): Promise<void>;
}

/** What a key is to allow. */
export interface KeyOrder {
  /** Empty: of no tenant. Only a ledger-wide key can be of none. */
  tenant: string;
  /** Whether it may hold `audit`, and an `admin` that reaches all tenants. */
  ledgerWide: boolean;
  principal: string;
  permissions: readonly Permission[];
  /** Those that it may name; undefined: any. */
  environments?: readonly string[] | undefined;
  /** Items a second; undefined: as many as its tenant may. */
  limits?: KeyLimits | undefined;
  /** For people. */
  name: string;
  /** Seconds until it expires; undefined: never. */
  expiresInSeconds?: number | undefined;
}

export interface KeyLimits {
  commands?: number | undefined;
  reads?: number | undefined;
}

/** A key as lists show it: without its secret, which nobody has. */
export interface KeyInfo extends Omit<KeyOrder, 'expiresInSeconds'> {
  id: string;
  madeAt: Instant;
  /** The principal that made it. */
  madeBy: string;
  expiresAt?: Instant | undefined;
  revokedAt?: Instant | undefined;
  /** The last day, by UTC, on which it was used. */
  usedOn?: string | undefined;
}

/** A key that was just made, with its secret, which is told this once; or the id of the one that the same request made before. */
export type MadeKey = { secret: string; key: KeyInfo } | { madeBefore: string };

/** The keys of a ledger. `tenant` keeps to its keys; undefined: to nobody's. */
export interface KeyStore {
  /**
   * `request`: a UUID of who asks and its idempotency key. Rejects with `overloaded` when there are 10,000 keys, or `most`
   * of the tenant.
   */
  create(order: KeyOrder, by: string, request?: string, most?: number): Promise<MadeKey>;
  /** With how many seconds it has left, by the clock that it ends by; absent: it does not end. */
  find(id: string, tenant: string | undefined): Promise<(KeyInfo & { secondsLeft?: number }) | undefined>;
  /** After an id, in the order of ids. */
  list(tenant: string | undefined, after: string, limit: number): Promise<KeyInfo[]>;
  /** Lets a key expire after so many seconds, unless it does before; 0: it is revoked. */
  end(id: string, seconds: number): Promise<KeyInfo | undefined>;
}

/** The Merkle tree of a partition's log (RFC 6962), as it stood. */
export interface TreeHead {
  partition: number;
  /** Its leaves: the sequence of the last event. */
  size: number;
  /** 32 bytes. */
  root: Uint8Array;
}

/** A checkpoint that was signed, and is kept. */
export interface KeptCheckpoint {
  size: number;
  keptAt: Instant;
  /** The signed note. */
  note: string;
}

/** What proves that the log is whole. */
export interface Trees {
  /** Names the ledger in what is signed: the log of a partition is `<name>/<partition>`. */
  readonly name: string;
  /** The verifier keys of those who sign; none: nobody does. */
  readonly keys: readonly string[];
  readonly nodeHash: NodeHash;
  /** Of every partition, at most a second old. */
  heads(): Promise<readonly TreeHead[]>;
  /** Of one, with all that was committed before it was asked for. */
  headNow(partition: number): Promise<TreeHead>;
  /** A checkpoint of it as a signed note; without signatures when nobody signs. */
  note(head: TreeHead): string;
  /** Tiles of a tree of `size` leaves, each exactly as wide as asked. Rejects with `overloaded` while they are being made. */
  tiles(partition: number, size: number, places: readonly TilePlace[]): Promise<readonly Uint8Array[]>;
  /** Of a smaller size than `before`, the newest first. */
  kept(partition: number, before: number, limit: number): Promise<KeptCheckpoint[]>;
}

/** How far Kafka is known to have a partition. */
export interface RelayStanding {
  partition: number;
  confirmed: number;
  /** Whether a relay is at it. */
  held: boolean;
}

/** Commands by what became of them, since the replica started: obeyed, or refused by the rules. */
export interface Traffic {
  commands: number;
  refusals: number;
}

/** What of the ledger runs, here and elsewhere. */
export interface Running {
  /** This one. */
  readonly replica: { id: string; since: Instant };
  readonly version: string;
  /** Whether who asks has to show a credential. */
  readonly accessControl: boolean;
  /** What this replica was asked, by a tenant or by all (undefined). */
  traffic(tenant: string | undefined): Traffic;
  relays(): Promise<RelayStanding[]>;
  /** The ids of those that are connected to Postgres. */
  replicas(): Promise<string[]>;
}
