import type { Ledger } from '../ledger.port.js';

/** So many of a kind are worked on at once; others wait for their turn, in the order of their arrival. */
export class Turns {
  private taken = 0;
  private line: { start(): void; until: number }[] = [];

  constructor(private readonly most: number) {}

  /** Does it at once; undefined when all turns are taken. */
  now<T>(work: () => Promise<T>): Promise<T> | undefined {
    return this.taken < this.most ? this.take(work) : undefined;
  }

  /** Does it when its turn comes; resolves to undefined, and has done nothing, when that is not within `ms`. */
  async inTurn<T>(work: () => Promise<T>, ms: number): Promise<T | undefined> {
    if (this.taken < this.most) return this.take(work);
    const until = performance.now() + ms;
    await new Promise<void>((start) => this.line.push({ start, until }));
    if (performance.now() > until) {
      this.pass();
      return undefined;
    }
    return this.take(work, true);
  }

  private async take<T>(work: () => Promise<T>, isPassed = false): Promise<T> {
    if (!isPassed) this.taken += 1;
    try {
      return await work();
    } finally {
      this.pass();
    }
  }

  /** Gives a turn on to whoever is next in line. */
  private pass(): void {
    const next = this.line.shift();
    if (next) next.start();
    else this.taken -= 1;
  }
}

/** What each ledger has one of, made when it is first needed: two in one process share nothing. */
export function oneEach<T>(make: () => T): (ledger: Ledger) => T {
  const made = new WeakMap<Ledger, T>();
  return (ledger) => {
    let one = made.get(ledger);
    if (one === undefined) {
      one = make();
      made.set(ledger, one);
    }
    return one;
  };
}
