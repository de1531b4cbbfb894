/** How much of each turn of the event loop is for those who can wait, in milliseconds. */
const SHARE_MS = 0.5;

/** Between two such shares while there are requests as well, in milliseconds: at least twice as long as they take. */
const PAUSE_MS = 1;
const LARGE_PAUSE_MS = 5;
/** So many that have had their turn may be kept among those who wait. */
const MOST_PAST = 1_024;

interface Waiting {
  resolve(): void;
  isLarge: boolean;
}

/** Who came first goes first. */
class Line {
  private readonly list: Waiting[] = [];
  /** Where the next one stands. */
  private at = 0;

  get isEmpty(): boolean {
    return this.at === this.list.length;
  }

  push(waiting: Waiting): void {
    this.list.push(waiting);
  }

  take(): Waiting | undefined {
    const next = this.list[this.at];
    if (next) this.at += 1;
    if (this.isEmpty || this.at >= MOST_PAST) {
      this.list.splice(0, this.at);
      this.at = 0;
    }
    return next;
  }
}

/**
 * Shares the event loop between answers and what can wait: events for those who follow, pages of the log, snapshots. Those
 * do a small piece each time it is their turn, one after the other, for half a millisecond of a turn of the loop. With
 * nothing else to do the loop turns all the time; while requests come in, they get a third of it at most.
 */
export class LoopTurns {
  private readonly live = new Line();
  private readonly others = new Line();
  private wasLive = false;
  private isGiving = false;
  /** When the first piece of this turn of the loop began; undefined before it. */
  private began: number | undefined;
  private hasCompany = false;

  /** A request has come in. */
  giveWay(): void {
    this.hasCompany = true;
  }

  /** Resolves when it is the caller's turn. Its piece has to follow at once, and to be done by its next `await`. */
  next(): Promise<void> {
    return this.turn(this.others, false);
  }

  /** The same for what happens now and goes to many: every other turn is for that. */
  nextLive(): Promise<void> {
    return this.turn(this.live, false);
  }

  /** The same for a piece of a millisecond, which is done a few steps after it was resolved: it has a turn of the loop for itself. */
  nextLarge(): Promise<void> {
    return this.turn(this.others, true);
  }

  private turn(line: Line, isLarge: boolean): Promise<void> {
    return new Promise((resolve) => {
      line.push({ resolve, isLarge });
      if (this.isGiving) return;
      this.isGiving = true;
      queueMicrotask(() => this.give());
    });
  }

  /** To one after the other until the time is over, then on in a later turn of the loop. */
  private give(): void {
    if (this.isEmpty) this.isGiving = false;
    else if (this.hasTime()) {
      const next = this.take();
      next?.resolve();
      if (next?.isLarge) this.later(LARGE_PAUSE_MS);
      else queueMicrotask(() => this.give()); // after the piece
    } else this.later(PAUSE_MS);
  }

  private get isEmpty(): boolean {
    return this.live.isEmpty && this.others.isEmpty;
  }

  private take(): Waiting | undefined {
    const isLive = !this.live.isEmpty && !(this.wasLive && !this.others.isEmpty);
    this.wasLive = isLive;
    return (isLive ? this.live : this.others).take();
  }

  private later(pauseMs: number): void {
    const give = () => this.give();
    if (!this.isEmpty && this.hasCompany) setTimeout(give, pauseMs);
    else setImmediate(give);
    this.hasCompany = false;
  }

  private hasTime(): boolean {
    if (this.began !== undefined) return performance.now() - this.began < SHARE_MS;
    this.began = performance.now();
    setImmediate(() => {
      this.began = undefined;
    });
    return true;
  }
}
