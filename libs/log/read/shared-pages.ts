/** Most bytes that are kept, and for how long, in milliseconds. */
const KEPT_BYTES = 32 << 20;
const KEPT_MS = 2_000;

interface Page<Event> {
  events: Promise<Event[]>;
  bytes: number;
  /** By performance.now(). */
  until: number;
}

/**
 * Pages that do not change any more: each is read once for all who ask while it is being read, and for two seconds after
 * that. Readers who began at the same place go on together. Keeps at most 32 MiB.
 */
export class SharedPages<Event> {
  /** The oldest first. */
  private readonly pages = new Map<string, Page<Event>>();
  private bytes = 0;

  constructor(private readonly sizeOf: (event: Event) => number) {}

  /** `whole`: of how many events the page consists. One that lacks some, because they are archived, is not kept. */
  get(key: string, whole: number, read: () => Promise<Event[]>): Promise<Event[]> {
    const known = this.pages.get(key);
    if (known && performance.now() < known.until) return known.events;
    if (known) this.drop(key, known);
    const page: Page<Event> = { events: read(), bytes: 0, until: Number.POSITIVE_INFINITY };
    this.pages.set(key, page);
    page.events.then(
      (events) => (events.length === whole ? this.keep(key, page, events) : this.drop(key, page)),
      () => this.drop(key, page), // whoever asked hears why
    );
    return page.events;
  }

  /** Whoever has asked for what is being read gets it. */
  forgetAll(): void {
    this.pages.clear();
    this.bytes = 0;
  }

  private keep(key: string, page: Page<Event>, events: readonly Event[]): void {
    if (this.pages.get(key) !== page) return;
    page.bytes = events.reduce((sum, event) => sum + this.sizeOf(event), 0);
    page.until = performance.now() + KEPT_MS;
    this.bytes += page.bytes;
    for (const [oldest, kept] of this.pages) {
      if (this.bytes <= KEPT_BYTES) return;
      if (kept.bytes > 0) this.drop(oldest, kept);
    }
  }

  private drop(key: string, page: Page<Event>): void {
    if (this.pages.get(key) !== page) return;
    this.pages.delete(key);
    this.bytes -= page.bytes;
  }
}
