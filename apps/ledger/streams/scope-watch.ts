import { type FeedEvent, LogError, type Tail } from '#log';
import { untilWoken } from '#waiting';

/** Most waiters at once; the next one is answered `overloaded`. */
const MOST = 20_000;

/** Wakes whoever waits for a scope to change. An idle waiter costs a map entry and a timer, no query. */
export class ScopeWatch {
  private readonly waiters = new Map<string, Set<() => void>>();
  private readonly stops: (() => void)[];
  private count = 0;
  private isClosed = false;

  constructor(tail: Tail) {
    const stop = tail.listen(
      (events) => this.wake(events),
      () => this.waiters.size > 0,
    );
    this.stops = [stop, tail.onRewind(() => this.wakeAll())];
  }

  /** Whether the service is stopping: whoever was woken must not wait again. */
  get closed(): boolean {
    return this.isClosed;
  }

  get waiting(): number {
    return this.count;
  }

  /**
   * Resolves at the scope's next event, after `ms`, or when `signal` aborts. Call it before reading: an
   * event between the reading and the waiting is then not missed. Throws LogError `overloaded`.
   */
  next(scopeKey: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (this.count >= MOST) throw new LogError('overloaded', 'Too many are waiting already.');
    if (this.isClosed) return Promise.resolve();
    return untilWoken({ ms, signal }, (wake) => {
      const waiters = this.waiters.get(scopeKey) ?? new Set();
      this.waiters.set(scopeKey, waiters.add(wake));
      this.count += 1;
      return () => {
        if (waiters.delete(wake)) this.count -= 1;
        if (waiters.size === 0) this.waiters.delete(scopeKey);
      };
    });
  }

  /** Wakes everybody, because the service is stopping. */
  close(): void {
    this.isClosed = true;
    for (const stop of this.stops) stop();
    this.wakeAll();
  }

  private wakeAll(): void {
    for (const waiters of [...this.waiters.values()]) for (const done of [...waiters]) done();
  }

  private wake(events: readonly FeedEvent[]): void {
    if (this.waiters.size === 0) return;
    for (const { scopeKey } of events) {
      const waiters = this.waiters.get(scopeKey);
      if (waiters) for (const done of [...waiters]) done();
    }
  }
}
