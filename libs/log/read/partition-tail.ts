import type { FeedEvent } from '../feed.port.js';

/** Most events and bytes that are kept in memory for each partition. */
const KEPT_EVENTS = 1_024;
const KEPT_BYTES = 1 << 20;

interface Wake {
  after: number;
  resolve(): void;
}

/** The end of one partition in memory, and who waits for what comes after it. */
export class PartitionTail {
  head = 0;
  /** Reads up to the end what others have appended. */
  filling: Promise<void> | undefined;
  /** The bytes of the event at the head; undefined before the first one. */
  private lastBytes: Buffer | undefined;
  private events: FeedEvent[] = [];
  private bytes = 0;
  private readonly wakes = new Set<Wake>();

  get end(): Buffer | undefined {
    return this.lastBytes;
  }

  /** Forgets all that it knew. */
  startFrom(head: number, end: Buffer | undefined): void {
    this.head = head;
    this.lastBytes = end;
    this.events = [];
    this.bytes = 0;
  }

  /** Whether somebody waits for what comes next. */
  get isAwaited(): boolean {
    return this.wakes.size > 0;
  }

  /** Goes on with events that come after others which were not read. */
  skipTo(events: readonly FeedEvent[]): void {
    this.startFrom(this.head, undefined);
    this.take(events);
  }

  /** The next events, in order. */
  take(events: readonly FeedEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      this.bytes += event.bytes.length;
    }
    const last = events.at(-1);
    if (last) {
      this.head = last.sequence;
      this.lastBytes = last.bytes;
    }
    this.forget();
    for (const wake of this.wakes) if (wake.after < this.head) wake.resolve();
  }

  /** Events after `after`, at most `limit`; undefined when they are not all kept here, or there are none. */
  kept(after: number, limit: number): FeedEvent[] | undefined {
    const { events } = this;
    const first = events[0]?.sequence;
    if (first === undefined || first > after + 1 || after >= first + events.length - 1) return undefined;
    return events.slice(after + 1 - first, after + 1 - first + limit);
  }

  /** Whether one of the events stands where another one is known. */
  contradicts(events: readonly FeedEvent[]): boolean {
    const first = this.events[0]?.sequence ?? this.head;
    return events.some(({ sequence, bytes }) => {
      if (sequence > this.head) return false;
      const other = sequence === this.head ? this.lastBytes : this.events[sequence - first]?.bytes;
      return other !== undefined && !other.equals(bytes);
    });
  }

  /** Has `resolve` called for each news after a sequence, until what it returns is called. */
  onNews(after: number, resolve: () => void): () => void {
    const wake: Wake = { after, resolve };
    this.wakes.add(wake);
    return () => this.wakes.delete(wake);
  }

  wakeAll(): void {
    for (const wake of this.wakes) wake.resolve();
  }

  /** Drops the oldest half while a bound is passed, so that dropping costs little an event. */
  private forget(): void {
    while (this.events.length > KEPT_EVENTS || this.bytes > KEPT_BYTES) {
      this.events = this.events.slice(Math.ceil(this.events.length / 2));
      this.bytes = this.events.reduce((sum, { bytes }) => sum + bytes.length, 0);
    }
  }
}
