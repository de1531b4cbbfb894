/** How much of each turn of the event loop is for those who can wait, in milliseconds. */
const SHARE_MS = 1;

const now = Promise.resolve();

/**
 * Shares the event loop between answers and what can wait: events for those who follow, pages of the log, snapshots. Those
 * do a small piece each time it is their turn, one after the other, for a millisecond of each turn of the loop. A loop
 * with nothing else to do turns all the time; the more there is to answer, the less they get.
 */
export class Turns {
  private waiting: (() => void)[] = [];
  private at = 0;
  /** When the first piece of this turn of the loop began; undefined before it. */
  private began: number | undefined;

  /** Resolves when it is the caller's turn. Its piece has to follow at once, and to be done by its next `await`. */
  next(): Promise<void> {
    if (this.waiting.length === 0 && this.hasTime()) return now;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private hasTime(): boolean {
    if (this.began !== undefined) return performance.now() - this.began < SHARE_MS;
    this.began = performance.now();
    setImmediate(() => {
      this.began = undefined;
      this.give();
    });
    return true;
  }

  /** Each of those who wait, until the time is over. */
  private give(): void {
    const resolve = this.waiting[this.at];
    if (!resolve) {
      this.waiting = [];
      this.at = 0;
    } else if (this.hasTime()) {
      this.at += 1;
      resolve();
      queueMicrotask(() => this.give()); // after the piece
    }
  }
}
