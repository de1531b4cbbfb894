import { now } from '../clock.js';
import type { Session } from '../generated/api.js';

/** What two good clocks may differ in a second: 1 % is twenty times what NTP corrects at most. */
const DRIFT = 0.01;

/**
 * Until when a lease holds for certain, as this process can tell: counted by a clock that nobody sets, from before
 * the request was sent that started or renewed it. The ledger counts from later, so it lasts longer there.
 */
export class LocalLease {
  #until = Number.NEGATIVE_INFINITY;
  #ms = Number.POSITIVE_INFINITY;

  /** The ledger's own length of the lease, in milliseconds; Infinity for a session without. */
  get ms(): number {
    return this.#ms;
  }

  get leftMs(): number {
    return this.#until - now();
  }

  /** Whether it could be over. */
  get isOver(): boolean {
    return this.leftMs <= 0;
  }

  /** The ledger has started it anew, on a request sent at `sentAt`. */
  renewed(session: Session, sentAt: number): void {
    this.#terms(session);
    this.#until = Math.max(this.#until, sentAt + this.#ms * (1 - DRIFT));
  }

  /** The session may be running on a lease of unknown age. */
  doubted(session: Session): void {
    this.#terms(session);
    this.#until = session.lease ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  /** The session drains: it lasts so many seconds from when that was asked for, at `sentAt`, and nothing renews it. */
  drains(seconds: number, sentAt: number): void {
    this.#until = sentAt + seconds * 1_000 * (1 - DRIFT);
  }

  #terms({ lease }: Session): void {
    this.#ms = lease ? lease.seconds * 1_000 : Number.POSITIVE_INFINITY;
  }
}
