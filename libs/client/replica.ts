import type { Position, Session } from './api.js';
import { parts } from './chunks.js';
import type { FollowedEvent, SessionInEvent } from './event.js';
import type { EventSource, FollowerStopped } from './event-source.js';
import { Follower } from './follower.js';
import type { LedgerClient, ScopeName } from './ledger-client.js';
import { now } from './waiting.js';

export interface ReplicaOptions {
  ledger: LedgerClient;
  source?: EventSource;
  /** Most scopes with a current session: 1,000,000 unless set. With more the replica stops, and says so. */
  most?: number;
  onTrouble?(error: unknown): void;
  /** The replica is not kept up any more; what it holds grows old. */
  onStopped?(why: FollowerStopped | ReplicaFull): void;
  signal?: AbortSignal;
}

/** There are more current sessions than this replica may hold: it would not be whole. */
export class ReplicaFull extends Error {
  override readonly name = 'ReplicaFull';
}

interface Waiter {
  position: Position;
  resolve(): void;
}

/** Most that wait for a position at once. */
const MOST_WAITERS = 10_000;

/**
 * All current sessions, in this process's memory: booted from the ledger's snapshot, kept by following its events.
 * Reads cost a look into a map. They may be old: `staleness` says by how much, `reached` waits for a position.
 */
export class CurrentReplica {
  readonly #sessions: Map<string, SessionInEvent>;
  readonly #positions: Map<number, number>;
  readonly #follower: Follower;
  readonly #most: number;
  readonly #waiters = new Set<Waiter>();
  #why: FollowerStopped | ReplicaFull | undefined;

  private constructor(options: ReplicaOptions, booted: Booted) {
    this.#sessions = booted.sessions;
    this.#positions = booted.positions;
    this.#most = mostOf(options);
    this.#follower = new Follower({
      ledger: options.ledger,
      ...(options.source && { source: options.source }),
      ...(options.onTrouble && { onTrouble: options.onTrouble }),
      from: new Map(booted.positions),
      retries: 0,
      onEvents: (events, to) => this.#apply(events, to),
      onStopped: (why) => {
        this.#why = why.cause instanceof ReplicaFull ? why.cause : why;
        this.#release();
        options.onStopped?.(this.#why);
      },
    });
  }

  /** Reads the snapshot, then follows. Rejects when it cannot be read whole, or with ReplicaFull. */
  static async open(options: ReplicaOptions): Promise<CurrentReplica> {
    return new CurrentReplica(options, await boot(options.ledger, mostOf(options), options.signal));
  }

  /** The current session as far as is known here; undefined when none is. Throws once the replica has stopped. */
  current({ userId, projectId = 'default' }: ScopeName): SessionInEvent | undefined {
    if (this.#why) throw this.#why;
    return this.#sessions.get(keyOf(userId, projectId));
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** How far each partition is known. */
  get positions(): Map<number, number> {
    return new Map(this.#positions);
  }

  /** Milliseconds since the source last said anything; up to 15,000 when there is nothing to say, Infinity once stopped. */
  get staleness(): number {
    return this.#why ? Number.POSITIVE_INFINITY : now() - this.#follower.caughtUpAt;
  }

  /**
   * Resolves when the replica knows of a position, such as a command's answer carries: reads see that command then.
   * Rejects when `withinMs` (5,000 unless set) is over, or the replica stops.
   */
  async reached(position: Position, withinMs = 5_000): Promise<void> {
    if (this.#why) throw this.#why;
    if (this.#knows(position)) return;
    if (this.#waiters.size >= MOST_WAITERS) throw new RangeError(`${MOST_WAITERS} wait already`);
    await new Promise<void>((resolve) => {
      const waiter = {
        position,
        resolve: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(waiter.resolve, withinMs);
      this.#waiters.add(waiter);
    });
    if (this.#why) throw this.#why;
    if (this.#knows(position)) return;
    throw new Error(`position ${position.partition}:${position.sequence} was not reached`);
  }

  async close(): Promise<void> {
    await this.#follower.stop();
    this.#release();
  }

  #knows({ partition, sequence }: Position): boolean {
    return (this.#positions.get(partition) ?? 0) >= sequence;
  }

  #apply(events: readonly FollowedEvent[], { partition, sequence }: Position): void {
    for (const { session } of events) {
      if (!session) continue;
      const { userId, projectId } = session.scope;
      const key = keyOf(userId, projectId);
      if (session.status === 'ended') this.#sessions.delete(key);
      else if (this.#sessions.size < this.#most || this.#sessions.has(key)) this.#sessions.set(key, session);
      else throw new ReplicaFull(`over ${this.#most} current sessions`);
    }
    this.#positions.set(partition, sequence);
    for (const waiter of this.#waiters) if (this.#knows(waiter.position)) waiter.resolve();
  }

  #release(): void {
    for (const waiter of this.#waiters) waiter.resolve();
  }
}

interface Booted {
  sessions: Map<string, SessionInEvent>;
  positions: Map<number, number>;
}

const mostOf = ({ most = 1_000_000 }: ReplicaOptions): number => most;

/** `{"position":…}` begins a partition, `{"session":…}` follow, `{"complete":true}` says that nothing is missing. */
async function boot(
  ledger: LedgerClient,
  most: number,
  signal = new AbortController().signal,
): Promise<Booted> {
  const booted: Booted = { sessions: new Map(), positions: new Map() };
  let isComplete = false;
  for await (const lines of parts(await ledger.stream('snapshot', {}, { signal }), '\n')) {
    for (const line of lines) {
      const { position, session, complete }: { position?: Position; session?: Session; complete?: boolean } =
        JSON.parse(line);
      if (position) booted.positions.set(position.partition, position.sequence);
      if (session) {
        const { attributes: _, ...kept } = session;
        booted.sessions.set(keyOf(session.scope.userId, session.scope.projectId), kept);
        if (booted.sessions.size > most) throw new ReplicaFull(`over ${most} current sessions`);
      }
      isComplete ||= complete === true;
    }
  }
  if (!isComplete) throw new Error('the snapshot broke off');
  return booted;
}

/** Ids hold no control characters. */
function keyOf(userId: string, projectId: string): string {
  return `${userId}\n${projectId}`;
}
