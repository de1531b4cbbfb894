import { backoffMs, DeadlineOver, orAborted, pause, withDeadline } from '#waiting';
import { FollowerStopped } from './event-source.js';
import type { FollowedEvent } from './followed-event.js';

/** Where the events of one call end: store it in the transaction that handles them. */
export interface FollowedTo {
  partition: number;
  sequence: number;
  /** Aborts when the call's time is over, or the follower is told to stop. */
  signal: AbortSignal;
}

export interface HandlerOptions {
  onEvents(events: FollowedEvent[], to: FollowedTo): Promise<void> | void;
  retries: number;
  handlerMs: number;
}

/** What a call may still take once it is told to stop. */
const STOP_MS = 10_000;

/** Calls what the user does with events: again when it throws, and never beside itself. */
export class Handler {
  readonly #options: HandlerOptions;
  readonly #stop: AbortSignal;
  readonly #onTrouble: (error: unknown) => void;

  constructor(options: HandlerOptions, stop: AbortSignal, onTrouble: (error: unknown) => void) {
    this.#options = options;
    this.#stop = stop;
    this.#onTrouble = onTrouble;
  }

  /** Rejects with FollowerStopped when it threw too often, or does not return in time. */
  async call(events: FollowedEvent[], partition: number, sequence: number): Promise<void> {
    const { retries } = this.#options;
    const where = `events up to ${partition}:${sequence}`;
    for (let failures = 1; ; failures++) {
      try {
        return await this.#once(events, { partition, sequence }, where);
      } catch (error) {
        if (error instanceof FollowerStopped) throw error;
        if (failures > retries)
          throw new FollowerStopped('handler-failed', `the handler of ${where} threw`, error);
        this.#onTrouble(error);
      }
      await pause(backoffMs(failures), this.#stop);
    }
  }

  async #once(events: FollowedEvent[], to: Omit<FollowedTo, 'signal'>, where: string): Promise<void> {
    const { handlerMs, onEvents } = this.#options;
    const stop = this.#stop;
    const time = new AbortController();
    const call = (async () => onEvents(events, { ...to, signal: time.signal }))();
    const inTime = (promise: Promise<void>, ms: number) =>
      withDeadline(promise, ms, 'nothing').catch((error) => {
        if (!(error instanceof DeadlineOver)) throw error;
        const late = new FollowerStopped(
          'handler-stuck',
          `the handler of ${where} did not return in ${ms} ms`,
        );
        time.abort(late);
        throw late;
      });
    try {
      await inTime(orAborted(call, stop), handlerMs);
    } catch (error) {
      if (!stop.aborted || error !== stop.reason) throw error;
      time.abort(error);
      await inTime(call, Math.min(handlerMs, STOP_MS));
    }
  }
}
