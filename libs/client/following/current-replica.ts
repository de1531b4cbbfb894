import { backoffMs, pause, untilWoken } from '#waiting';
import { byPerformance, now } from '../clock.js';
import type { Position, Session } from '../generated/api.js';
import type { LedgerClient, ScopeName } from '../ledger-client.js';
import { parts } from './chunks.js';
import type { EventSource, FollowerStopped } from './event-source.js';
import type { FollowedEvent, SessionInEvent } from './followed-event.js';
import { Follower } from './follower.js';
import { readHeads, withRestores } from './heads.js';
import { tell } from './tell.js';

export interface ReplicaOptions {
  ledger: LedgerClient;
  source?: EventSource;
  /** Most scopes with a current session: 1,000,000 unless set. With more the replica stops, and says so. */
  most?: number;
  /** As a follower's: how often to look how far the ledger is, in milliseconds; 10,000 unless set. */
  lookMs?: number;
  /** As a follower's; and that the replica is so far behind that it reads the snapshot again. */
  onTrouble?(error: unknown): void;
  /** The replica is not kept up any more: reads throw from now on. */
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

/** The least time between two snapshots. */
const AGAIN_MS = 1_000;

/**
 * All current sessions, in this process's memory: booted from the ledger's snapshot, kept by following its events.
 * Reads cost a look into a map. They may be old: `staleness` says by how much, `reached` waits for a position.
 */
export class CurrentReplica {
  readonly #options: ReplicaOptions;
  readonly #waiters = new Set<Waiter>();
  readonly #closing = new AbortController();
  #booted: Booted;
  #follower: Follower;
  #booting: Promise<void> = Promise.resolve();
  #why: FollowerStopped | ReplicaFull | undefined;

  private constructor(options: ReplicaOptions, booted: Booted) {
    this.#options = options;
    this.#booted = booted;
    this.#follower = this.#follow();
  }

  /** Reads the snapshot, then follows. Rejects when it cannot be read whole, or with ReplicaFull. */
  static async open(options: ReplicaOptions): Promise<CurrentReplica> {
    return new CurrentReplica(options, await boot(options.ledger, mostOf(options), options.signal));
  }

  /** The current session as far as is known here; undefined when none is. Throws once the replica has stopped. */
  current({ userId, projectId = 'default' }: ScopeName): SessionInEvent | undefined {
    if (this.#why) throw this.#why;
    return this.#booted.sessions.get(keyOf(userId, projectId));
  }

  get size(): number {
    return this.#booted.sessions.size;
  }

  /** How far each partition is known. */
  get positions(): Map<number, number> {
    return new Map(this.#booted.positions);
  }

  /**
   * Milliseconds since a moment as of which all that the ledger had is here: what is read may be so old, and not
   * older. While nothing is wrong it grows to `lookMs` and begins again. Infinity once stopped.
   */
  get staleness(): number {
    if (this.#why) return Number.POSITIVE_INFINITY;
    return performance.now() - Math.max(byPerformance(this.#booted.at), this.#follower.caughtUpAt);
  }

  /**
   * Resolves when the replica knows of a position, such as a command's answer carries: reads see that command then.
   * Rejects when `withinMs` (5,000 unless set) is over, or the replica stops.
   */
  async reached(position: Position, withinMs = 5_000): Promise<void> {
    if (this.#why) throw this.#why;
    if (this.#knows(position)) return;
    if (this.#waiters.size >= MOST_WAITERS) throw new RangeError(`${MOST_WAITERS} wait already`);
    await untilWoken({ ms: withinMs }, (resolve) => {
      const waiter: Waiter = { position, resolve };
      this.#waiters.add(waiter);
      return () => this.#waiters.delete(waiter);
    });
    if (this.#why) throw this.#why;
    if (this.#knows(position)) return;
    throw new Error(`position ${position.partition}:${position.sequence} was not reached`);
  }

  /** Resolves when nothing runs any more. Reads go on as of now. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the replica is closed'));
    await this.#booting;
    await this.#follower.stop();
    this.#release();
  }

  #follow(ledgerId = this.#booted.ledgerId): Follower {
    const { ledger, source, lookMs, onTrouble } = this.#options;
    return new Follower({
      ledger,
      ...(source && { source }),
      ...(lookMs !== undefined && { lookMs }),
      ...(ledgerId !== undefined && { ledgerId }),
      ...(onTrouble && { onTrouble }),
      from: new Map(this.#booted.positions),
      retries: 0,
      onEvents: (events, to) => this.#apply(events, to),
      onStopped: (why) => {
        if (why.code === 'archived') this.#booting = this.#bootAgain(why);
        else this.#fail(why.cause instanceof ReplicaFull ? why.cause : why);
      },
    });
  }

  /** So far behind that the feed does not go back to there: the snapshot tells what has become of it all. */
  async #bootAgain(why: FollowerStopped): Promise<void> {
    const { ledger, onTrouble } = this.#options;
    const { signal } = this.#closing;
    const { ledgerId } = this.#follower;
    for (let [failures, error]: [number, unknown] = [0, why]; !signal.aborted; failures++) {
      if (error instanceof ReplicaFull) return this.#fail(error);
      tell(() => onTrouble?.(error));
      try {
        await pause(AGAIN_MS + backoffMs(failures), signal);
        this.#booted = await boot(ledger, mostOf(this.#options), signal);
        this.#follower = this.#follow(ledgerId);
        return this.#wake();
      } catch (failure) {
        error = failure;
      }
    }
  }

  #fail(why: FollowerStopped | ReplicaFull): void {
    this.#why = why;
    this.#release();
    tell(() => this.#options.onStopped?.(why));
  }

  #knows({ partition, sequence }: Position): boolean {
    return (this.#booted.positions.get(partition) ?? 0) >= sequence;
  }

  #apply(events: readonly FollowedEvent[], { partition, sequence }: Position): void {
    const { sessions, positions } = this.#booted;
    const most = mostOf(this.#options);
    for (const { session } of events) {
      if (!session) continue;
      const { userId, projectId } = session.scope;
      const key = keyOf(userId, projectId);
      if (session.status === 'ended') sessions.delete(key);
      else if (sessions.size < most || sessions.has(key)) sessions.set(key, session);
      else throw new ReplicaFull(`over ${most} current sessions`);
    }
    positions.set(partition, sequence);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters) if (this.#knows(waiter.position)) waiter.resolve();
  }

  #release(): void {
    for (const waiter of this.#waiters) waiter.resolve();
  }
}

interface Booted {
  /** When the ledger was asked, by `now()`. */
  at: number;
  /** Whose snapshot it is: whoever answers otherwise from now on is not followed. */
  ledgerId: string | undefined;
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
  // Before the snapshot, which does not name its ledger: another one may answer after it.
  const { ledgerId, restores } = await readHeads(ledger, signal);
  const booted: Booted = {
    at: now(),
    ledgerId: withRestores(ledgerId, restores),
    sessions: new Map(),
    positions: new Map(),
  };
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
