import type { Evidence } from './evidence.js';

/**
 * How far each partition can have come at a moment: not beyond the first event whose command nobody had sent yet.
 * Events of nobody, those that time or a refused stop brought about, hold nothing back.
 */
export class Ceilings {
  /** By partition and sequence, from 0: when the log can have come so far at the earliest. */
  private readonly earliest: number[][];

  constructor({ log, commands, effects }: Evidence) {
    this.earliest = log.partitions.map((events) => events.map(() => Number.NEGATIVE_INFINITY));
    for (const [first] of commands.values()) {
      if (!first) continue;
      for (const { partition, first: from, sequence } of effects.of(first.asked)) {
        const times = this.earliest[partition];
        for (let at = from; times && at <= sequence; at++) times[at - 1] = first.askedAt;
      }
    }
    for (const times of this.earliest) {
      for (let at = 1; at < times.length; at++) times[at] = Math.max(times[at] ?? 0, times[at - 1] ?? 0);
    }
  }

  /** The last sequence that can have been there. */
  of(partition: number, time: number): number {
    const times = this.earliest[partition] ?? [];
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] ?? 0) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
