/** A partition of which the ledger has more than was handled. */
export interface Behind {
  partition: number;
  /** The last sequence handled. */
  handled: number;
  /** The last that the ledger has. */
  head: number;
}

/** The source has given nothing of what the ledger had for a whole look's time: it is read from the feed. */
export class Stalled extends Error {
  override readonly name = 'Stalled';

  constructor(readonly partitions: readonly Behind[]) {
    const shown = partitions.slice(0, 4).map(({ partition, handled, head }) => {
      return `partition ${partition} is at ${handled} and the ledger at ${head}`;
    });
    const more = partitions.length > 4 ? `, and ${partitions.length - 4} more` : '';
    super(
      `the source gives nothing, though there is more: ${shown.join(', ')}${more}; reading it from the feed`,
    );
  }
}

/** How far the ledger was when it was asked, by `now()`. */
export interface Seen {
  at: number;
  heads: readonly number[];
}

/** Most looks that a source which is opened anew, over and over, may take to give something. */
const MOST_PATIENCE = 8;

/** Compares what was handled with how far the ledger was: how old that is, and whether the source gives it at all. */
export class StallWatch {
  readonly #positions: readonly number[];
  readonly #busyMs: () => number;
  #caughtUpAt = Number.NEGATIVE_INFINITY;
  #ahead: Seen | undefined;
  #last: (Seen & { positions: readonly number[]; busyMs: number }) | undefined;
  #stalledLooks = 0;
  #patience = 1;

  /** `positions` moves on; `busyMs` tells how long the handler had the events, which is not the source's time. */
  constructor(positions: readonly number[], busyMs: () => number) {
    this.#positions = positions;
    this.#busyMs = busyMs;
  }

  /** The latest moment known, as of which all that the ledger had is handled. */
  get caughtUpAt(): number {
    const ahead = this.#ahead;
    if (ahead?.heads.every((head, partition) => (this.#positions[partition] ?? 0) >= head)) {
      this.#caughtUpAt = ahead.at;
      this.#ahead = undefined;
    }
    return this.#caughtUpAt;
  }

  /** How far the ledger was, when it was asked. */
  saw(seen: Seen): void {
    // The oldest that is not reached is kept: somebody who lags by a constant time reaches one after the other.
    if (this.caughtUpAt < seen.at) this.#ahead ??= seen;
  }

  /** The partitions in which nothing moved since the last look, though there was more, and time for it. */
  look(seen: Seen): Behind[] {
    const last = this.#last;
    const busyMs = this.#busyMs();
    const positions = [...this.#positions];
    this.#last = { ...seen, positions, busyMs };
    const hadTime = last && busyMs - last.busyMs < (seen.at - last.at) / 2;
    const stalled = positions.flatMap((handled, partition) => {
      const head = seen.heads[partition] as number;
      const stands = hadTime && handled === last.positions[partition];
      return stands && handled < (last.heads[partition] as number) ? [{ partition, handled, head }] : [];
    });
    if (stalled.length === 0) [this.#stalledLooks, this.#patience] = [0, 1];
    return stalled;
  }

  /** Whether the source had its time: each opening gives the next one more, so that a slow one comes to it. */
  isTimeToReopen(): boolean {
    this.#stalledLooks += 1;
    if (this.#stalledLooks < this.#patience) return false;
    this.#stalledLooks = 0;
    this.#patience = Math.min(MOST_PATIENCE, 2 * this.#patience);
    return true;
  }
}
