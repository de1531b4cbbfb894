import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { settled, untilWoken } from '#waiting';
import { DemoError } from './error.js';
import type { Said } from './facts.js';

const LEAVE_MS = 3_000;

/** A process of the story, as the conductor sees it: it takes orders and says what it got. */
export class Player<Order extends object> {
  /** All that it has said, in order. */
  readonly said: Said[] = [];
  private readonly child: ChildProcess;
  private ended = false;
  private wake = () => {};

  /** `file`: a module beside this one, without its ending. */
  constructor(
    readonly name: string,
    file: string,
    setup: object,
  ) {
    this.child = fork(new URL(`./${file}.js`, import.meta.url), [JSON.stringify(setup)], {
      // kafkajs on newer Node; nothing that the reader of a timeline could do something about.
      execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    });
    this.child.on('message', (said: Said) => {
      this.said.push(said);
      this.wake();
    });
    this.child.once('exit', () => {
      this.ended = true;
      this.wake();
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  tell(order: Order): void {
    if (!this.ended) this.child.send(order);
  }

  /**
   * The first of its words from `from` on that `choose` gives something for; undefined after `ms`. Throws
   * DemoError when the process cannot go on.
   */
  async hear<T>(choose: (said: Said) => T | undefined, ms: number, from = 0): Promise<T | undefined> {
    const until = performance.now() + ms;
    for (let next = from; ; ) {
      for (; next < this.said.length; next++) {
        const said = this.said[next] as Said;
        if (said.kind === 'failure') throw new DemoError(said.why);
        const chosen = choose(said);
        if (chosen !== undefined) return chosen;
      }
      if (this.ended) throw new DemoError(`the process ${this.name} ended unexpectedly`);
      const left = until - performance.now();
      if (left <= 0) return undefined;
      await this.another(left);
    }
  }

  /** Lets it go, and sees to it that it does. */
  async leave(): Promise<void> {
    if (this.ended) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    await settled(exited, LEAVE_MS);
    if (!this.ended) this.child.kill('SIGKILL');
  }

  private another(ms: number): Promise<void> {
    return untilWoken({ ms }, (wake) => {
      this.wake = wake;
      return () => {
        this.wake = () => {};
      };
    });
  }
}
