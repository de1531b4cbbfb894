import { untilWoken } from './until-woken.js';

export interface LoopOptions {
  /** Between two rounds, in milliseconds. */
  everyMs: number;
  /** Resolves to `true` when the next round should follow at once. */
  round(): Promise<unknown>;
  /** Hears what a round threw; the next one tries again. */
  onFault(error: unknown): void;
}

/** Does the same over and over in the background, one round at a time, until it is closed. Keeps no process alive. */
export class Loop {
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #wake = () => {};

  constructor(private readonly options: LoopOptions) {}

  /** The first round comes after `ms`. */
  start(ms = 0): void {
    this.#running ??= this.#run(ms);
  }

  /** There is something to do: the next round comes at once. */
  wake(): void {
    this.#wake();
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves when the round at hand is over. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(firstMs: number): Promise<void> {
    for (let ms = firstMs; !this.isClosed; ) {
      if (ms > 0) await this.#sleep(ms);
      if (this.isClosed) return;
      ms = (await this.#round()) === true ? 0 : this.options.everyMs;
    }
  }

  async #round(): Promise<unknown> {
    try {
      return await this.options.round();
    } catch (error) {
      this.options.onFault(error);
      return false;
    }
  }

  #sleep(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return untilWoken({ ms, signal, isIdle: true }, (wake) => {
      this.#wake = wake;
      return () => {
        this.#wake = () => {};
      };
    });
  }
}
