import { onAbort } from '#waiting';
import { LONGEST_TIMER_MS, now } from '../clock.js';
import type { Raw } from './answer.js';

/** Most calls in one request: what the ledger takes. */
const MOST = 500;
/** Most of their JSON, in characters: three bytes each, at most, stay below the ledger's 1 MiB. */
const MOST_CHARACTERS = 300_000;
/** Most requests under way; calls that come meanwhile are gathered until one is answered. */
const MOST_UNDER_WAY = 4;
/** How long calls go by themselves where the ledger took no list: it may be one that is being upgraded. */
const ALONE_MS = 60_000;

/** What a call got from its place among others: a status and parsed JSON; or what all of them got together. */
export type Got = { status: number; body: Record<string, unknown> } | Raw;

/** It has to go by itself; to be called when it has been answered, or never will be. */
export type Alone = () => void;

/** A call that may go with others. */
export interface Gathered {
  /** As it stands in the list. */
  json: string;
  /** Calls of one order go one after the other: what they are for. Reads have none. */
  order: string | undefined;
}

/**
 * Asks for many in one request. Resolves to what each got; to `no-lists` where the ledger takes none; to `apart` where this
 * one was refused as a whole, which may be the fault of one of them.
 */
export type SendMany = (
  list: string,
  options: { signal: AbortSignal; ms: number; count: number },
) => Promise<Got[] | 'no-lists' | 'apart'>;

/** It came to nothing before it was sent. */
export class NeverSent extends Error {
  constructor(override readonly cause: unknown) {
    super('never sent');
  }
}

/** A call that waits, for others or with them. */
class Waiting {
  isOver = false;
  /** It goes by itself: a list that it was in was refused. */
  isApart = false;
  /** What it was sent with. */
  list: List | undefined;
  stopListening: (() => void) | undefined;

  constructor(
    readonly call: Gathered,
    readonly ms: number,
    readonly until: number,
    readonly resolve: (got: Got | Alone) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/** Calls that went together. What is under way for them ends when none of them waits any more. */
class List {
  readonly gone = new AbortController();

  constructor(private left: number) {}

  giveUp(): void {
    this.left -= 1;
    if (this.left === 0) this.gone.abort(new Error('nobody waits for it any more'));
  }
}

/**
 * Gathers calls that are made in the same turn of the event loop, or while requests are under way, into one request. A lone
 * call is told so at the end of its turn, and goes by itself.
 */
export class Gathering {
  readonly #sendMany: SendMany;
  readonly #waiting: Waiting[] = [];
  /** Those that wait, and those that are under way: one timer is for the times of all of them. */
  readonly #open = new Set<Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ringsAt = Number.POSITIVE_INFINITY;
  /** What calls under way are for. */
  readonly #orders = new Set<string>();
  #underWay = 0;
  #isDue = false;
  /** The ledger is older than lists are, as far as is known. */
  #refusedUntil = Number.NEGATIVE_INFINITY;

  constructor(sendMany: SendMany) {
    this.#sendMany = sendMany;
  }

  /**
   * What a call got within `ms`, the wait for others included. Rejects with what its request ran into, with the signal's
   * reason, or when its time is over: with NeverSent before it was sent.
   */
  ask(call: Gathered, ms: number, signal: AbortSignal | undefined): Promise<Got | Alone> {
    const at = now();
    if (at < this.#refusedUntil) return Promise.resolve(() => {});
    return new Promise((resolve, reject) => {
      const one = new Waiting(call, ms, at + ms, resolve, reject);
      if (signal) one.stopListening = onAbort(signal, (reason) => this.#fail(one, reason));
      if (one.isOver) return;
      this.#waiting.push(one);
      this.#open.add(one);
      if (one.until < this.#ringsAt) this.#ring(one.until, at);
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#isDue || this.#underWay >= MOST_UNDER_WAY) return;
    this.#isDue = true;
    afterThisTurn(() => {
      this.#isDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#underWay < MOST_UNDER_WAY) {
      const together = this.#take();
      const [first] = together;
      if (!first) return;
      this.#underWay += 1;
      for (const { call } of together) if (call.order !== undefined) this.#orders.add(call.order);
      if (together.length === 1) this.#answer(first, () => this.#end(together));
      else void this.#send(together);
    }
  }

  /** The next that may go together, in the order in which they came. */
  #take(): Waiting[] {
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    /** What those are for that stay: no later one overtakes them. */
    const held = new Set<string>();
    let characters = 0;
    for (const one of this.#waiting.splice(0)) {
      if (one.isOver) continue;
      const { json, order } = one.call;
      const isLast = taken.length > 0 && (one.isApart || taken[0]?.isApart);
      const isHeld = order !== undefined && (held.has(order) || this.#orders.has(order));
      const isFull = taken.length >= MOST || (taken.length > 0 && characters + json.length > MOST_CHARACTERS);
      if (isHeld || isFull || isLast) {
        left.push(one);
        if (order !== undefined) held.add(order);
        continue;
      }
      characters += json.length;
      taken.push(one);
    }
    this.#waiting.push(...left);
    return taken;
  }

  async #send(together: readonly Waiting[]): Promise<void> {
    const list = new List(together.length);
    let json = '';
    let ms = 0;
    for (const one of together) {
      one.list = list;
      json += json === '' ? one.call.json : `,${one.call.json}`;
      ms = Math.max(ms, one.ms);
    }
    try {
      const got = await this.#sendMany(json, { signal: list.gone.signal, ms, count: together.length });
      if (got === 'apart') return this.#putBack(together);
      if (got === 'no-lists') this.#refuse();
      together.forEach((one, index) => {
        this.#answer(one, got === 'no-lists' ? () => {} : (got[index] as Got));
      });
    } catch (error) {
      for (const one of together) this.#fail(one, error);
    } finally {
      this.#end(together);
    }
  }

  /** Before all others: they came first. Nothing was done for them. */
  #putBack(together: readonly Waiting[]): void {
    for (const one of together) {
      one.isApart = true;
      one.list = undefined;
    }
    this.#waiting.unshift(...together);
  }

  /** All that wait go by themselves, and so does what comes for a while. */
  #refuse(): void {
    this.#refusedUntil = now() + ALONE_MS;
    for (const one of this.#waiting.splice(0)) this.#answer(one, () => {});
  }

  #end(together: readonly Waiting[]): void {
    this.#underWay -= 1;
    for (const { call } of together) if (call.order !== undefined) this.#orders.delete(call.order);
    if (this.#waiting.length > 0) this.#flushSoon();
  }

  #answer(one: Waiting, got: Got | Alone): void {
    if (this.#close(one)) one.resolve(got);
  }

  #fail(one: Waiting, error: unknown): void {
    if (!this.#close(one)) return;
    one.list?.giveUp();
    one.reject(one.list ? error : new NeverSent(error));
  }

  /** Whether it was open. */
  #close(one: Waiting): boolean {
    if (one.isOver) return false;
    one.isOver = true;
    one.stopListening?.();
    this.#open.delete(one);
    if (this.#open.size === 0) this.#stopRinging();
    return true;
  }

  #ring(until: number, at: number): void {
    clearTimeout(this.#timer);
    this.#ringsAt = until;
    this.#timer = setTimeout(() => this.#failLate(), Math.min(Math.max(until - at, 1), LONGEST_TIMER_MS));
  }

  #stopRinging(): void {
    clearTimeout(this.#timer);
    this.#ringsAt = Number.POSITIVE_INFINITY;
  }

  #failLate(): void {
    const at = now();
    this.#ringsAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const one of this.#open) {
      if (one.until > at) next = Math.min(next, one.until);
      else this.#fail(one, new Error(`no answer within ${Math.round(one.ms)} ms`));
    }
    if (next < Number.POSITIVE_INFINITY) this.#ring(next, at);
  }
}

/** Once everything that is to be done now has been done. */
const afterThisTurn: (work: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : (work) => void setTimeout(work, 0);
