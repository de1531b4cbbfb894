import type { RelayLease, RelayLeases } from '#log';
import { DeadlineOver, withDeadline } from '#waiting';
import type { Log } from './broker.port.js';
import { Interrupted } from './stopped.js';

const CONFIRM_EVERY_MS = 1_000;

export interface LeaseHolder {
  leases: RelayLeases;
  /** Names this relay; no two may share it. */
  holder: string;
  /** How long a lease lasts without renewal: the time until another takes over from a dead holder. */
  leaseSeconds: number;
  log: Log;
}

/** A point in time by two clocks: the monotonic one stands still while the machine sleeps, the other may jump. */
interface Moment {
  monotonic: number;
  wall: number;
}

const now = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/** Milliseconds since, by the clock that says more: rather give up a lease too early than too late. */
const since = (moment: Moment) => Math.max(performance.now() - moment.monotonic, Date.now() - moment.wall);

/**
 * A lease on a partition while this relay has it: renews it, stores how far Kafka has confirmed, and fires
 * `signal` as soon as it is no longer sure to be held. The end is counted from before the database was
 * asked, so by the database's clock the lease always lasts a little longer than it does here.
 */
export class HeldLease {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #tickMs: number;
  #renewed: Moment;
  #confirmed: number;
  #reached: number;
  #confirming: Promise<void> | undefined;

  private constructor(
    private readonly at: LeaseHolder,
    private lease: RelayLease,
    askedAt: Moment,
  ) {
    this.#renewed = askedAt;
    this.#confirmed = lease.confirmed;
    this.#reached = lease.confirmed;
    this.#tickMs = Math.min(CONFIRM_EVERY_MS, (at.leaseSeconds * 1000) / 10);
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  /** Undefined when another relay has the partition. Rejects when the database cannot be asked in time. */
  static async acquire(at: LeaseHolder, partition: number): Promise<HeldLease | undefined> {
    const askedAt = now();
    const asked = at.leases.acquire(partition, at.holder, at.leaseSeconds);
    const lease = await withDeadline(asked, at.leaseSeconds * 1000, 'no answer about the relay lease');
    return lease && new HeldLease(at, lease, askedAt);
  }

  /** Fires once: lost to another, run out, or given back. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** To be asked before every send. A fifth of the lease is left for the record's way to Kafka. */
  surelyHeld(): boolean {
    if (since(this.#renewed) > this.at.leaseSeconds * 1000 * 0.8)
      this.#lost.abort(new Interrupted('the lease is over'));
    return !this.signal.aborted;
  }

  /** The last sequence that Kafka is known to have. */
  get known(): number {
    return this.#reached;
  }

  /** Kafka has everything up to this sequence. Stored with the next renewal, within about a second. */
  reached(sequence: number): void {
    this.#reached = sequence;
  }

  /**
   * Kafka has nothing of the partition any more: stores that, so that a relay which takes over in the middle of
   * sending everything again goes on. Rejects when that is not sure.
   */
  async startOver(): Promise<void> {
    const { leases, holder, leaseSeconds } = this.at;
    await this.#confirming;
    const askedAt = now();
    const asked = leases.startOver(this.lease, holder, leaseSeconds);
    this.#confirming = asked.then(
      () => undefined,
      () => undefined, // reported below; this only keeps renewals from overtaking it
    );
    const lease = await withDeadline(
      asked,
      (leaseSeconds * 1000) / 3,
      'no answer about the relay lease',
    ).finally(() => {
      this.#confirming = undefined;
    });
    if (!lease) {
      this.#lost.abort(new Interrupted('the lease is lost'));
      throw this.signal.reason;
    }
    this.lease = lease;
    this.#renewed = askedAt;
    this.#confirmed = 0;
    this.#reached = 0;
  }

  /**
   * Ends the holding, in at most `ms`. With `giveBack` another relay can take over at once; without, when the
   * lease runs out: for a batch that may still be on its way to Kafka. Never rejects.
   */
  async end(giveBack: boolean, ms: number): Promise<void> {
    clearInterval(this.#timer);
    const held = this.surelyHeld();
    this.#lost.abort(new Interrupted('the lease is given back'));
    if (!held) return;
    try {
      await withDeadline(this.#finish(giveBack), ms, 'no answer about the relay lease');
    } catch (error) {
      this.at.log('warn', `relay: lease of partition ${this.lease.partition} left to run out: ${error}`);
    }
  }

  async #finish(giveBack: boolean): Promise<void> {
    const { leases, holder, leaseSeconds } = this.at;
    await this.#confirming;
    if (this.#reached > this.#confirmed) {
      if (!(await leases.confirm(this.lease, holder, this.#reached, leaseSeconds))) return;
    }
    if (giveBack) await leases.release(this.lease, holder);
  }

  #tick(): void {
    if (!this.surelyHeld() || this.#confirming) return;
    const due = since(this.#renewed) > (this.at.leaseSeconds * 1000) / 3 - this.#tickMs;
    if (!due && this.#reached === this.#confirmed) return;
    this.#confirming = this.#confirm().finally(() => {
      this.#confirming = undefined;
    });
  }

  async #confirm(): Promise<void> {
    const { leases, holder, leaseSeconds } = this.at;
    const askedAt = now();
    const sequence = this.#reached;
    try {
      const asked = leases.confirm(this.lease, holder, sequence, leaseSeconds);
      if (!(await withDeadline(asked, (leaseSeconds * 1000) / 3, 'no answer')))
        return this.#lost.abort(new Interrupted('the lease is lost'));
      this.#renewed = askedAt;
      this.#confirmed = sequence;
    } catch (error) {
      // Not lost yet: the next tick asks again, until the clocks say that it is over.
      const why = error instanceof DeadlineOver ? 'the database does not answer' : String(error);
      this.at.log('warn', `relay: lease of partition ${this.lease.partition} not renewed: ${why}`);
    }
  }
}
