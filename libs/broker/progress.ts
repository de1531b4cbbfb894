import type { KafkaPort, KafkaRecord, PartitionBounds, StartOffset } from './broker.port.js';
import type { FollowOptions } from './consumer.js';
import { fromRecord, type LedgerRecord } from './record.js';

/** Where a follower stands: what it has handled, drops when it comes again, and misses. */
export class Progress {
  readonly #options: FollowOptions;
  readonly #handled = new Map<number, number>();
  /** The offset after the last record handled, by partition. */
  readonly #next = new Map<number, number>();
  readonly #movedAt = new Map<number, number>();
  /** Partitions whose onEvents has not come back: slow is not stuck. */
  readonly #busy = new Set<number>();
  #endTaken = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    if (typeof options.from === 'string') return;
    for (const [partition, sequence] of options.from) {
      this.#handled.set(partition, sequence);
      // Repetitions only push records back: what follows sequence n stands at offset n or later.
      this.#next.set(partition, sequence);
    }
  }

  positions(): Map<number, number> {
    return new Map(this.#handled);
  }

  /** Where the next consumer begins. "The end" is looked up once, so that a replacement skips nothing. */
  async startOffsets(kafka: KafkaPort): Promise<StartOffset> {
    const { from, groupId, topic } = this.#options;
    if (groupId !== undefined) return from === 'end' ? 'end' : 'beginning';
    if (from === 'end' && !this.#endTaken) {
      for (const { partition, end } of await kafka.bounds(topic)) this.#next.set(partition, end);
      this.#endTaken = true;
    }
    return new Map(this.#next);
  }

  /** Hands over what is new, in order. Rejects as onEvents does: nothing of it counts as handled then. */
  async take(records: KafkaRecord[]): Promise<void> {
    const [first] = records;
    const last = records.at(-1);
    if (!first || !last) return;
    const { partition } = first;
    this.#busy.add(partition);
    try {
      if (this.#othersWentOn(first)) this.#handled.delete(partition);
      const fresh: LedgerRecord[] = [];
      let before =
        this.#handled.get(partition) ?? (this.#options.from === 'beginning' ? this.#firstOf() : undefined);
      for (const event of records.map(fromRecord)) {
        if (!event || (before !== undefined && event.sequence <= before)) continue;
        if (before !== undefined && event.sequence > before + 1) {
          this.#options.onGap({ partition, after: before, found: event.sequence });
        }
        before = event.sequence;
        fresh.push(event);
      }
      if (fresh.length > 0) await this.#options.onEvents(fresh);
      if (before !== undefined) this.#handled.set(partition, before);
      this.#next.set(partition, last.offset + 1);
    } finally {
      this.#busy.delete(partition);
      this.#movedAt.set(partition, performance.now());
    }
  }

  /** A partition that has records to read and did not move for `ms`; undefined when all is well. */
  stuckAt(bounds: PartitionBounds[], assigned: readonly number[], ms: number): number | undefined {
    const now = performance.now();
    for (const { partition, begin, end } of bounds) {
      // Where its group stands in a partition that this member has not read from is not known here.
      const fallback = this.#options.groupId === undefined ? begin : end;
      const mine = this.#options.groupId === undefined || assigned.includes(partition);
      const waiting = mine && end > Math.max(begin, this.#next.get(partition) ?? fallback);
      if (!waiting || this.#busy.has(partition)) this.#movedAt.set(partition, now);
      const movedAt = this.#movedAt.get(partition) ?? now;
      this.#movedAt.set(partition, movedAt);
      if (now - movedAt > ms) return partition;
    }
    return undefined;
  }

  /** Alone and from the beginning, the first event is number 1. A group may begin anywhere. */
  #firstOf(): number | undefined {
    return this.#options.groupId === undefined ? 0 : undefined;
  }

  /** In a group another member may have had the partition meanwhile: what it read is no gap. */
  #othersWentOn(first: KafkaRecord): boolean {
    const next = this.#next.get(first.partition);
    return this.#options.groupId !== undefined && (next === undefined || first.offset > next);
  }
}
