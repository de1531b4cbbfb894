import { setTimeout as sleep } from 'node:timers/promises';
import type { Turn } from '../harness.js';

/** The longest that an event may take from its answer to its consumer. */
const LOST_AFTER_MS = 10_000;

/** An event that was sent, and the times of its request and of its answer. */
export interface Sent {
  name: string;
  asked: number;
  answered: number;
}

/** When events were answered and when they arrived, by their names; either may come first. */
export class Arrivals {
  private readonly arrived = new Map<string, number>();

  /** A consumer got the event. */
  arrive(name: string): void {
    if (!this.arrived.has(name)) this.arrived.set(name, performance.now());
  }

  /**
   * Sends at a steady rate for `ms` milliseconds, whether answers come or not, and waits until everything
   * that was sent has arrived.
   */
  async turn(ms: number, rate: number, send: () => Promise<Sent>): Promise<{ asked: Turn; answered: Turn }> {
    const open: Promise<Sent>[] = [];
    const began = performance.now();
    for (let now = began; now < began + ms; now = performance.now()) {
      while (open.length < ((now - began) * rate) / 1_000) {
        const one = send();
        one.catch(() => {}); // reported below, with all others
        open.push(one);
      }
      await sleep(1);
    }
    const sent = await Promise.all(open);
    const seconds = (performance.now() - began) / 1_000;
    const until = performance.now() + LOST_AFTER_MS;
    while (sent.some(({ name }) => !this.arrived.has(name))) {
      if (performance.now() > until) throw new Error(`an event did not arrive within ${LOST_AFTER_MS} ms`);
      await sleep(5);
    }
    // One that arrived before its answer was read took no time, not less.
    const since = (clock: 'asked' | 'answered'): Turn => ({
      seconds,
      ops: sent.length,
      latencies: sent.map((one) => Math.max(0, this.arrived.get(one.name)! - one[clock])),
    });
    const turns = { asked: since('asked'), answered: since('answered') };
    this.arrived.clear();
    return turns;
  }
}
