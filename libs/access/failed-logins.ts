/** Credentials that did not count, by address: 20 a minute; the next ones are told to wait. One that counts is let in all the same. */
const MOST = 20;
const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 10_000;

export class FailedLogins {
  private readonly windows = new Map<string, { since: number; count: number }>();

  /** Whether so many of an address did not count that it is told to wait. */
  isOver(address: string): boolean {
    const window = this.windows.get(address);
    return window !== undefined && window.count > MOST && performance.now() - window.since < WINDOW_MS;
  }

  /** Counts one; in how many seconds the address may try again, 0 when it may now. */
  count(address: string): number {
    const now = performance.now();
    let window = this.windows.get(address);
    if (!window || now - window.since >= WINDOW_MS) {
      window = { since: now, count: 0 };
      this.windows.delete(address);
      if (this.windows.size >= MOST_ADDRESSES) this.windows.delete(this.windows.keys().next().value ?? '');
      this.windows.set(address, window);
    }
    window.count += 1;
    return window.count > MOST ? Math.ceil((window.since + WINDOW_MS - now) / 1_000) : 0;
  }
}
