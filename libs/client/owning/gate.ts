import { LONGEST_TIMER_MS } from '../clock.js';
import type { LocalLease } from './local-lease.js';
import type { Loss } from './loss.js';

/** `held`: its owner's, as far as this process knows. The rest is for good. */
export type HeldState = 'held' | 'lost' | 'released' | 'ended';

/** A guarded call was not begun, or has to stop: the session is not held, or nobody can tell. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld';

  constructor(
    /** `lease-over`: by this process's clock it could be; a renewal may still save it. `not-here`: no such session here. */
    readonly why: Exclude<HeldState, 'held'> | 'lease-over' | 'not-here',
    /** For `lost`, once it is known how: within 60 ms. */
    readonly loss?: Loss,
  ) {
    super(`the session is not held: ${loss ? `lost, ${loss.why}` : why}`);
  }
}

/** Lets guarded calls begin while a session is held and its lease covers it; tells those that run when to stop. */
export class Gate {
  readonly #lease: LocalLease;
  #shut: NotHeld | undefined;
  #running = 0;
  #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(lease: LocalLease) {
    this.#lease = lease;
  }

  /** Calls `work` at once, or throws NotHeld: nothing comes between the look at the clock and the call. */
  async run<T>(work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    if (this.#shut) throw this.#shut;
    if (this.#lease.isOver) throw new NotHeld('lease-over');
    this.#running += 1;
    this.leaseMoved();
    try {
      return await work(this.#stop.signal);
    } finally {
      this.#running -= 1;
      this.leaseMoved();
    }
  }

  /** Nothing begins any more; what runs is told so. The last reason is what later calls are refused with. */
  shut(reason: NotHeld): void {
    this.#shut = reason;
    clearTimeout(this.#timer);
    this.#stop.abort(reason);
  }

  /** What runs is told when the lease could be over. Without anything running there is no timer. */
  leaseMoved(): void {
    clearTimeout(this.#timer);
    if (this.#running === 0 || this.#shut || this.#lease.leftMs === Number.POSITIVE_INFINITY) return;
    const ms = Math.min(Math.max(0, this.#lease.leftMs), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      if (!this.#lease.isOver) return this.leaseMoved();
      this.#stop.abort(new NotHeld('lease-over'));
      this.#stop = new AbortController(); // for calls that begin after a renewal that came late
    }, ms);
  }
}
