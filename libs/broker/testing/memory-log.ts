import type { Feed, FeedEvent, RelayLease, RelayLeases } from '#log';

/** A log without a database: what the relay sees of Postgres, and nothing else. */
export class MemoryLog implements Feed, RelayLeases {
  readonly #events: FeedEvent[][];
  readonly #leases: (RelayLease & { holder: string; until: number })[];
  #waiting: (() => void)[] = [];
  /** Runs in every read, e.g. to stop the world or to throw as a database that is away does. */
  onRead: () => void = () => {};
  /** False: `confirm` renews, but forgets how far Kafka was. */
  remembers = true;
  releases = 0;
  /** Rises as the real log's does when it finds that the table went back. */
  history = 0;

  constructor(readonly partitions: number) {
    this.#events = Array.from({ length: partitions }, () => []);
    this.#leases = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      epoch: 0,
      confirmed: 0,
      holder: '',
      until: 0,
    }));
  }

  append(partition: number, count: number, bytes = 40): void {
    const events = this.#events[partition]!;
    for (let i = 0; i < count; i++) {
      const sequence = events.length + 1;
      const body = JSON.stringify({ partition, sequence, nonce: Math.random(), é: '\u0000𝄞' });
      events.push({
        partition,
        sequence,
        scopeKey: `acme/user-${sequence % 7}/default`,
        type: 'SessionStarted',
        epoch: sequence * 2,
        bytes: Buffer.from(body.padEnd(bytes)),
      });
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  events(partition: number): readonly FeedEvent[] {
    return this.#events[partition]!;
  }

  /** As a backup would: the log ends at `sequence` again. */
  restore(partition: number, sequence: number): void {
    this.#events[partition]!.length = sequence;
  }

  async read(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    return this.readTable(partition, after, limit);
  }

  async readTable(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    const found = this.#events[partition]!.slice(after, after + limit);
    this.onRead();
    return found;
  }

  changed(partition: number, after: number, ms: number): Promise<void> {
    if (this.#events[partition]!.length > after) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async acquire(partition: number, holder: string, seconds: number): Promise<RelayLease | undefined> {
    const lease = this.#leases[partition]!;
    if (lease.holder !== holder && lease.until > Date.now()) return undefined;
    lease.epoch++;
    lease.holder = holder;
    lease.until = Date.now() + seconds * 1000;
    const { epoch, confirmed } = lease;
    return { partition, epoch, confirmed };
  }

  async confirm({ partition, epoch }: RelayLease, holder: string, sequence: number, seconds: number) {
    const lease = this.#leases[partition]!;
    if (lease.holder !== holder || lease.epoch !== epoch || lease.until < Date.now()) return false;
    lease.until = Date.now() + seconds * 1000;
    if (this.remembers) lease.confirmed = sequence;
    return true;
  }

  async release({ partition, epoch }: RelayLease, holder: string): Promise<void> {
    const lease = this.#leases[partition]!;
    if (lease.holder !== holder || lease.epoch !== epoch) return;
    lease.until = 0;
    this.releases++;
  }

  /** Ends the lease by the database's clock; its holder is not told. */
  expire(partition: number): void {
    this.#leases[partition]!.until = 0;
  }

  confirmed(partition: number): number {
    return this.#leases[partition]!.confirmed;
  }

  setConfirmed(partition: number, sequence: number): void {
    this.#leases[partition]!.confirmed = sequence;
  }

  holders(): string[] {
    return this.#leases.map(({ holder, until }) => (until > Date.now() ? holder : ''));
  }
}
