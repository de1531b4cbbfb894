import type { Log } from './broker.port.js';
import type { RelayStopped, StopCode } from './stopped.js';

/**
 * `standby`: another relay has the partition, or this one waits to get it. `relaying`: Kafka has all that
 * there is. `behind`: events wait for Kafka, or Kafka or Postgres does not answer. `stopped`: a person is needed;
 * `why` says what to do.
 */
export type RelayState = 'standby' | 'relaying' | 'behind' | 'stopped';

export interface PartitionStatus {
  partition: number;
  state: RelayState;
  /** The last sequence that Kafka is known to have; 0 before that is known. */
  sent: number;
  /** The highest sequence seen in the log. */
  head?: number;
  /** What is wrong now, for the operator. */
  why?: string;
  /** The same for programs, when the partition is stopped. */
  code?: StopCode;
}

/** For metrics. Must not throw. */
export interface RelayHooks {
  /** Kafka acknowledged `count` events of the partition. */
  onSent?(partition: number, count: number): void;
  /** A batch got no answer and is sent again. */
  onResend?(partition: number): void;
  onError?(partition: number, error: Error): void;
  /** Kafka's partition ends with this event, which the log does not have. At every look, as long as it is so. */
  onBeyond?(partition: number, event: Buffer): void;
}

/** How a partition stands; says what is wrong once, not at every attempt. */
export class RelayReport {
  #status: PartitionStatus;
  /** What was said last and is still wrong. */
  #told: string | undefined;

  constructor(
    private readonly at: { log: Log; hooks: RelayHooks },
    private readonly partition: number,
  ) {
    this.#status = { partition, state: 'standby', sent: 0 };
  }

  status(): PartitionStatus {
    return { ...this.#status };
  }

  get stopped(): boolean {
    return this.#status.state === 'stopped';
  }

  set(state: RelayState, why?: string, code?: StopCode): void {
    const { partition, sent, head } = this.#status;
    const known = head === undefined ? {} : { head };
    this.#status = { partition, state, sent, ...known, ...(why && { why }), ...(code && { code }) };
    if (!why) this.#told = undefined;
  }

  /** What was wrong is not any more. What it stopped for holds until the ends of the partition were looked at. */
  well(): void {
    if (!this.stopped) this.set(this.#status.state);
  }

  /** The ends of the partition were looked at, and it can be mirrored. */
  resumed(): void {
    if (this.stopped) this.at.log('info', `relay: partition ${this.partition} continues`);
    delete this.#status.head; // the log may have gone back
    this.set(this.stopped ? 'behind' : this.#status.state);
  }

  /** Another relay has it. To one that is stopped this may only mean that another stopped one looks again just now. */
  refused(): void {
    if (!this.stopped) this.set('standby');
  }

  /** Another relay has had it for a while, so what this one stopped for is over. */
  takenOver(): void {
    this.set('standby');
  }

  failed(state: RelayState, what: string, error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    const why = `${what}: ${cause.message}`;
    if (what !== this.#told) this.at.log('warn', `relay: partition ${this.partition}: ${why}`);
    this.#told = what;
    this.at.hooks.onError?.(this.partition, cause);
    this.set(state, why);
  }

  stop({ code, message, beyond }: RelayStopped): void {
    if (beyond) this.at.hooks.onBeyond?.(this.partition, beyond);
    if (message !== this.#told)
      this.at.log('error', `relay: partition ${this.partition} stopped. ${message}`);
    this.#told = message;
    this.set('stopped', message, code);
  }

  read(head: number): void {
    this.#status.head = Math.max(this.#status.head ?? 0, head);
  }

  sent(sequence: number, count: number): void {
    this.#status.sent = sequence;
    if (count > 0) this.at.hooks.onSent?.(this.partition, count);
  }
}
