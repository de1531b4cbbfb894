import type { Handle } from './handles.js';
import type { Scope } from './scope.js';
import type { UsageTotals } from './values/usage.js';

/** UUIDv7 of one session instance; carries its partition. Never reused, never derived from user or project. */
export type SessionId = string;

/** Fencing token of a scope: an integer from 0 (no session yet) to 2^53-1 that never falls or resets. */
export type Epoch = number;

/** UTC, ISO 8601 with milliseconds and `Z`, so that comparing strings compares times. */
export type Instant = string;

/** Who runs a session. */
export interface Owner {
  environment: string;
  instance?: string;
}

/** How long ownership lasts without a sign of life. */
export interface LeaseTerms {
  /** 1 to 2,592,000 (30 days). */
  seconds: number;
  /** After a lapse that releases: how long the session waits for its old owner before it expires. 0 to 2,592,000. */
  graceSeconds: number;
  /** `heartbeat`: the owner renews. `use`: any join or touch renews, so it is an idle time-out. */
  renewOn: 'heartbeat' | 'use';
  onLapse: 'release' | 'end';
}

/** What holds for a chain. Given by the start, inherited by every successor. */
export interface ChainPolicy {
  /** 1 to 100,000. Only a reset leads on from a session of this chain length. */
  maxChainLength?: number;
  /** From which chain length a reset is advised: 1 to `maxChainLength`, which it is when left out. */
  adviseAt?: number;
  /**
   * A session that was released expires so many seconds after that or, where it was reserved, after the reservation is
   * over: 1 to 2,592,000 (30 days). Left out: never.
   */
  endReleasedAfterSeconds?: number;
}

/** What time does to a session of some status. */
interface Passing {
  /** What its timer is: its lease, its reservation or policy, its drain; `none`: nothing happens by time alone. */
  timer: 'lease' | 'reservation' | 'drain' | 'none';
  /** What becomes of it when the time is over. A lapse releases it, unless its lease says that it ends. */
  over: 'lapses' | 'expires' | 'ends' | 'stays';
}

/** The one table of statuses: what times, settles, describes and lists sessions reads from it. */
const statuses = {
  starting: { timer: 'lease', over: 'expires' },
  active: { timer: 'lease', over: 'lapses' },
  released: { timer: 'reservation', over: 'expires' },
  ending: { timer: 'drain', over: 'ends' },
  ended: { timer: 'none', over: 'stays' },
} as const satisfies Record<string, Passing>;

export type Status = keyof typeof statuses;
export type CurrentStatus = Exclude<Status, 'ended'>;
/** All, in the order of the table. */
export const STATUSES = Object.keys(statuses) as Status[];
/** Those of a current session. */
export const CURRENT_STATUSES = STATUSES.filter((status) => status !== 'ended');

export function passingOf({ status }: Pick<Session, 'status'>): Passing {
  return statuses[status];
}

export type EndCause = 'ended' | 'superseded' | 'rotated' | 'expired' | 'invalid' | 'reset';

/** One session as events carry it and as readers see it. */
export interface Session {
  sessionId: SessionId;
  /** Without its tenant, which the event's subject names. */
  scope: Omit<Scope, 'tenant'>;
  status: Status;
  /** The scope's epoch after the change that made this state; its owner must show it. */
  epoch: Epoch;
  /** The scope's revision after that change. */
  revision: number;
  /** Absent while released. Of an ended session: who had it last. */
  owner?: Owner;
  /** While released: who had it before. */
  previousOwner?: Owner;
  /** While released: the only one who may claim it before `reservedUntil`. */
  reservedFor?: Owner;
  reservedUntil?: Instant;
  /** How long the reservation is, unless a lapse made it: after an outage there is as much time again, at most 60 s. */
  reservedSeconds?: number;
  /** Released by a lapse, or under a policy: when it expires, unless it is claimed before. */
  expiresAt?: Instant;
  lease?: LeaseTerms;
  /** Ending: when it ends, unless its owner confirms the end before. */
  drainUntil?: Instant;
  /** From the credential that started or claimed it. */
  principal: string;
  /** The session that it followed in its chain, by rotation or recovery. A root has none. */
  parentId?: SessionId;
  rootId: SessionId;
  /** 1 for a root, 2 for its successor … */
  chainLength: number;
  policy?: ChainPolicy;
  /** Its chain is so long that its policy advises a reset. */
  resetAdvised?: true;
  /** Of a root that a reset or a recovery made: the root of the chain before it. */
  previousRootId?: SessionId;
  /** The valid session that it continues in place of an invalid one, or that of a checkpoint. */
  recoveredFrom?: SessionId;
  /** The checkpoint that it was started from. */
  fromCheckpoint?: string;
  /** Why it was rotated into being. */
  reason?: string;
  versionId?: string;
  /** Outside names that are bound to it, also once it has ended. At most 8; absent when there are none. */
  handles?: readonly Handle[];
  /** SHA-256(salt ‖ attributes), base64url; the attributes themselves are details and can be erased. */
  attributesDigest?: string;
  startedAt: Instant;
  endedAt?: Instant;
  endCause?: EndCause;
  /** Free of personal data: it stays in the log. */
  endReason?: string;
  /** The origin of the stop that ended it: the same stop again is not stale. */
  endedBy?: Owner;
  /** Who followed it, by supersession or rotation. */
  successorId?: SessionId;
  /** `hash` of the handle that its rotation was asked with: the same one gets the same successor. */
  successorHandle?: string;
  /** What was used in it; absent until the first report. Reports may still come when it has ended. */
  usage?: UsageTotals;
  /** It was reported that it cannot be continued, however it ended: no recovery chooses it. */
  invalid?: { at: Instant; reason: string };
}

/** All that a scope needs to decide: a small value whose size does not grow with history. */
export interface ScopeState {
  /** How many events the scope has. */
  version: number;
  /** The session that started last. Current unless it has ended. */
  latest?: Session;
}

export const noSessionYet: ScopeState = { version: 0 };

/** The scope's current session, if it has one. */
export function currentOf(state: ScopeState): Session | undefined {
  return state.latest?.status === 'ended' ? undefined : state.latest;
}

/** The scope's epoch: 0 until its first session. */
export function epochOf(state: ScopeState): Epoch {
  return state.latest?.epoch ?? 0;
}

/**
 * A copy of a session that may be changed, without some of its properties. Not a spread: V8 takes ten times as long to
 * leave properties out of one, and to add others to it.
 */
export function copyWithout<Key extends keyof Session>(
  session: Session,
  gone: ReadonlySet<Key>,
): Omit<Session, Key> {
  const copy: Record<string, unknown> = {};
  for (const key in session) if (!gone.has(key as Key)) copy[key] = session[key as keyof Session];
  return copy as unknown as Omit<Session, Key>;
}

/** Whether a released session was lost, not given up: then it expires just when its old owner's time is over. */
export function isLapsed({ expiresAt, reservedUntil }: Session): boolean {
  return expiresAt !== undefined && expiresAt === reservedUntil;
}

/** Environments are equal, and the holder's instance is absent or equal. */
export function ownerMatches(holder: Owner | undefined, asking: Owner): boolean {
  return (
    holder !== undefined &&
    holder.environment === asking.environment &&
    (holder.instance === undefined || holder.instance === asking.instance)
  );
}
