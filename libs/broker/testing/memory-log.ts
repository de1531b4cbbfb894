import type { Feed, FeedEvent, RelayLease, RelayLeases } from '#log';

type Ask = 'read' | 'acquire' | 'confirm' | 'startOver' | 'release';

/**
 * A log without a database: what the relay sees of Postgres, and nothing else. As with a database, what was asked
 * is done at once, and the answer may be late or never come.
 */
export class MemoryLog implements Feed, RelayLeases {
  readonly #events: FeedEvent[][];
  readonly #leases: (RelayLease & { holder: string; until: number })[];
  #waiting: (() => void)[] = [];
  /** Runs in every read, e.g. to stop the world or to throw as a database that is away does. */
  onRead: () => void = () => {};
  /** False: `confirm` renews, but forgets how far Kafka was. */
  remembers = true;
  releases = 0;
  /** Milliseconds that an answer takes; Infinity: it never comes. */
  readonly late: Record<Ask, number> = { read: 0, acquire: 0, confirm: 0, startOver: 0, release: 0 };
  /** The database's clock, in milliseconds. */
  clock: () => number = () => Date.now();
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
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  events(partition: number): readonly FeedEvent[] {
    return this.#events[partition]!;
  }

  /** As a backup would: the log ends at `sequence` again. */
  restore(partition: number, sequence: number): void {
    this.#events[partition]!.length = sequence;
  }

  /** As a process sees it that runs on while the database goes back. */
  goBack(partition: number, sequence: number): void {
    this.restore(partition, sequence);
    this.history++;
    this.#wake();
  }

  async read(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    return this.readTable(partition, after, limit);
  }

  async readTable(partition: number, after: number, limit: number): Promise<FeedEvent[]> {
    const found = this.#events[partition]!.slice(after, after + limit);
    this.onRead();
    return this.#answer('read', found);
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
    const held = lease.until > this.clock();
    if (held && lease.holder !== holder) return undefined;
    if (!held || lease.holder !== holder) lease.epoch++;
    lease.holder = holder;
    lease.until = this.clock() + seconds * 1000;
    const { epoch, confirmed } = lease;
    return this.#answer('acquire', { partition, epoch, confirmed });
  }

  async confirm({ partition, epoch }: RelayLease, holder: string, sequence: number, seconds: number) {
    const lease = this.#leases[partition]!;
    if (lease.holder !== holder || lease.epoch !== epoch || lease.until <= this.clock())
      return this.#answer('confirm', false);
    lease.until = this.clock() + seconds * 1000;
    if (this.remembers) lease.confirmed = Math.max(lease.confirmed, sequence);
    return this.#answer('confirm', true);
  }

  async startOver({ partition, epoch }: RelayLease, holder: string, seconds: number) {
    const lease = this.#leases[partition]!;
    if (lease.holder !== holder || lease.epoch !== epoch || lease.until <= this.clock()) return undefined;
    lease.until = this.clock() + seconds * 1000;
    lease.epoch++;
    lease.confirmed = 0;
    return this.#answer('startOver', { partition, epoch: lease.epoch, confirmed: 0 });
  }

  async heldByAnother(partition: number, holder: string): Promise<number | undefined> {
    const lease = this.#leases[partition]!;
    return lease.holder !== holder && lease.until > this.clock() ? lease.epoch : undefined;
  }

  async release({ partition, epoch }: RelayLease, holder: string): Promise<void> {
    const lease = this.#leases[partition]!;
    if (lease.holder !== holder || lease.epoch !== epoch) return;
    lease.until = 0;
    lease.holder = '';
    this.releases++;
    return this.#answer('release', undefined);
  }

  #answer<T>(ask: Ask, answer: T): Promise<T> {
    const ms = this.late[ask];
    if (ms === 0) return Promise.resolve(answer);
    return new Promise((resolve) => {
      if (ms < Number.POSITIVE_INFINITY) setTimeout(() => resolve(answer), ms);
    });
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
    return this.#leases.map(({ holder, until }) => (until > this.clock() ? holder : ''));
  }
}
