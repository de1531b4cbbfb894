/** Why a request is refused before it is read. */
export type Shed = 'queue' | 'event-loop';

export interface AdmissionOptions {
  /** Commands that wait for something that holds up only them: they are nobody else's queue. */
  aside(): number;
  /** So many were refused since the last time, told now and then: there may be thousands a second. */
  onShed(why: Shed, count: number): void;
  /** Milliseconds, for tests. */
  now?(): number;
}

/** A command that is taken is expected to be answered within this, in milliseconds. */
const WAIT_MS = 80;
/** Those of a list, which is more than a queue of 80 ms by itself where the service is slow. */
const LIST_WAIT_MS = 500;
/** So many commands at once are no crowd, however slow the machine. */
const FEW = 128;
/** So many may come in a burst. */
const BURST = 1_024;
/** So many in lists may wait however slow the machine: what one client sends at once. */
const LIST_BURST = 2_048;
/** A burst is over within this; what lasts longer is more than the service can do. */
const BURST_MS = 1_000;
/** So long after the last refusal a crowd is known to be there. */
const CROWDED_MS = 2_000;
/** Over which the answers a second are counted. */
const WINDOW_MS = 100;
/** How much the last window counts. */
const WEIGHT = 0.3;
/** How often it is looked whether the event loop is late. */
const TICK_MS = 50;
/** The event loop drowns when it is so late, and FEW requests or more came meanwhile. */
const LATE_MS = 200;

/**
 * Which requests are taken. A command that would wait for long is refused at once, before it is read, so that those that
 * were taken are answered in time and the event loop has time for health: an expected wait is how many are under way,
 * divided by how many are answered a second (Little's law). Bursts are taken all the same. Lists wait longer, and hold up
 * others only as far as they take turns with them. Reads are refused only while the event loop itself is late
 * (docs/decisions/0024-shedding.md).
 */
export class Admission {
  /** Commands under way that came one by one, the first ones of lists among them; and those that lists hold besides. */
  private ones = 0;
  private listed = 0;
  private answered = 0;
  private windowSince: number;
  private perMs = 0;
  private crowdSince: number | undefined;
  private crowdedUntil = Number.NEGATIVE_INFINITY;
  private arrived = 0;
  private isLate = false;
  private readonly shed = { queue: 0, 'event-loop': 0 };
  private ticking: NodeJS.Timeout | undefined;
  private readonly now: () => number;

  constructor(private readonly options: AdmissionOptions) {
    this.now = options.now ?? (() => performance.now());
    this.windowSince = this.now();
  }

  /** Watches the event loop until it is closed. */
  start(): void {
    let last = this.now();
    this.ticking = setInterval(() => {
      const now = this.now();
      this.tick(now - last - TICK_MS);
      last = now;
    }, TICK_MS).unref();
  }

  close(): void {
    clearInterval(this.ticking);
    this.tellShed();
  }

  /** Commands that are under way. */
  get commands(): number {
    return this.ones + this.listed;
  }

  /** Commands that may be under way at once, as fast as they are answered now. */
  get most(): number {
    return Math.max(FEW, this.perMs * WAIT_MS);
  }

  /** The same of those in lists. */
  private get mostListed(): number {
    return Math.max(LIST_BURST, this.perMs * LIST_WAIT_MS);
  }

  /** Why a request is not taken; undefined when it is. A command that is taken has to be `done`. */
  refuses(isCommand: boolean): Shed | undefined {
    this.arrived += 1;
    const why = this.isLate ? 'event-loop' : isCommand && this.isCrowded() ? 'queue' : undefined;
    if (why) this.shed[why] += 1;
    else if (isCommand) this.ones += 1;
    return why;
  }

  /** A list that was taken as one command has been read: why the `more` that it holds are not taken. Those that are have to be `doneMore`. */
  refusesMore(more: number): Shed | undefined {
    const isTooMuch = () => this.isCrowded() || this.listed + more > this.mostListed;
    const why = this.isLate ? 'event-loop' : isTooMuch() ? 'queue' : undefined;
    if (why) this.shed[why] += 1;
    else this.listed += more;
    return why;
  }

  /** A command that was taken is answered, or its caller is gone. */
  done(): void {
    this.ones -= 1;
    this.answered += 1;
  }

  /** The same of those that a list held besides. */
  doneMore(more: number): void {
    this.listed -= more;
    this.answered += more;
  }

  /** @param late How much later than planned this tick is, in milliseconds. */
  tick(late: number): void {
    this.isLate = late > LATE_MS && this.arrived >= FEW;
    this.arrived = 0;
    this.tellShed();
  }

  private tellShed(): void {
    for (const why of ['queue', 'event-loop'] as const) {
      if (this.shed[why] > 0) this.options.onShed(why, this.shed[why]);
      this.shed[why] = 0;
    }
  }

  private isCrowded(): boolean {
    const now = this.now();
    this.count(now);
    const { most } = this;
    const waiting = this.ones + Math.min(this.ones, this.listed) - this.options.aside();
    if (waiting < most) {
      if (waiting < most / 2) this.crowdSince = undefined;
      return false;
    }
    this.crowdSince ??= now;
    const lasts = now < this.crowdedUntil || now - this.crowdSince > BURST_MS;
    if (!lasts && waiting < Math.max(BURST, 2 * most)) return false;
    this.crowdedUntil = now + CROWDED_MS;
    return true;
  }

  private count(now: number): void {
    const ms = now - this.windowSince;
    if (ms < WINDOW_MS) return;
    // Of a long pause only as much counts as of a window after the other.
    const weight = 1 - (1 - WEIGHT) ** (ms / WINDOW_MS);
    this.perMs += weight * (this.answered / ms - this.perMs);
    this.answered = 0;
    this.windowSince = now;
  }
}
