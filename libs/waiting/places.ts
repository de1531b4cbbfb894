/** A bounded number of places: so many work at once, the others stand in line in the order in which they came. */
export class Places {
  #taken = 0;
  readonly #line: { start(): void; until: number }[] = [];

  constructor(private readonly most: number) {}

  /** Does it at once; undefined when all places are taken. */
  now<T>(work: () => Promise<T>): Promise<T> | undefined {
    return this.#taken < this.most ? this.#take(work) : undefined;
  }

  /** Does it when there is a place. Settles as it does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.within(work, Number.POSITIVE_INFINITY) as Promise<T>;
  }

  /** Does it when there is a place; resolves to undefined, and has done nothing, when that is not within `ms`. */
  async within<T>(work: () => Promise<T>, ms: number): Promise<T | undefined> {
    if (this.#taken < this.most) return this.#take(work);
    const until = performance.now() + ms;
    await new Promise<void>((start) => this.#line.push({ start, until })); // takes over the place of one that is done
    if (performance.now() <= until) return this.#take(work, true);
    this.#pass();
    return undefined;
  }

  async #take<T>(work: () => Promise<T>, isPassed = false): Promise<T> {
    if (!isPassed) this.#taken += 1;
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Gives a place on to whoever is next in line. */
  #pass(): void {
    const next = this.#line.shift();
    if (next) next.start();
    else this.#taken -= 1;
  }
}
