/** How one that works beside the commands gives way to them. */
export interface PaceOptions {
  /** Part of the time, from 0 to 1, that is its own even while commands take all of it. */
  share: number;
  /** Milliseconds that commands were worked on until now: a figure that only rises. */
  workedMs(): number;
  /** Milliseconds that have passed until now. */
  now(): number;
}

/**
 * Shares the time with the commands: it is for what they leave, and never for less than its share. While nobody commands
 * that is all of the time.
 */
export class Pace {
  private at: number;
  private worked: number;

  constructor(private readonly options: PaceOptions) {
    this.at = options.now();
    this.worked = options.workedMs();
  }

  /**
   * How long to rest for work that took so long, in milliseconds, by what commands did since it was last asked. Asked
   * again during the rest it may say less: they have paused.
   */
  restFor(took: number): number {
    const [at, worked] = [this.options.now(), this.options.workedMs()];
    const used = at > this.at ? Math.min(1, (worked - this.worked) / (at - this.at)) : 1;
    this.at = at;
    this.worked = worked;
    return took / Math.max(this.options.share, 1 - used) - took;
  }
}
