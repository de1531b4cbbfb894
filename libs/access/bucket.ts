/** So many items a second, and as many at once: a token bucket by this process's own clock. */
export class Bucket {
  private level: number;
  private at = performance.now();

  constructor(readonly perSecond: number) {
    this.level = perSecond;
  }

  /** Takes items, or none: then it says in how many seconds there are enough. A list that is larger than all of it waits for it to be full. */
  take(items: number): number {
    const now = performance.now();
    this.level = Math.min(this.perSecond, this.level + ((now - this.at) / 1_000) * this.perSecond);
    this.at = now;
    const least = Math.min(items, this.perSecond);
    if (this.level >= least) {
      this.level -= items;
      return 0;
    }
    return (least - this.level) / this.perSecond;
  }

  /** Items that were taken, and not used. */
  giveBack(items: number): void {
    this.level = Math.min(this.perSecond, this.level + items);
  }
}
