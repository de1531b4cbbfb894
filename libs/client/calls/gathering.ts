import { onAbort } from '#waiting';
import type { Raw } from './answer.js';

/** Most calls in one request: what the ledger takes. */
const MOST = 500;
/** Most of their JSON, in characters: three bytes each, at most, stay below the ledger's 1 MiB. */
const MOST_CHARACTERS = 300_000;
/** Most requests under way; calls that come meanwhile are gathered until one is answered. */
const MOST_UNDER_WAY = 4;

/** What a call got from its place among others: a status and parsed JSON; or what all of them got together. */
export type Got = { status: number; body: Record<string, unknown> } | Raw;

/** A call that may go with others. */
export interface Gathered {
  /** As it stands in the list. */
  json: string;
  /** Calls of one order go one after the other: what they are for. Reads have none. */
  order: string | undefined;
  signal: AbortSignal | undefined;
  /** How long it waits for its answer, the wait for others included. */
  ms: number;
}

interface Waiting extends Gathered {
  isSent: boolean;
  isOver: boolean;
  /** It goes by itself: a list that it was in was refused. */
  isApart: boolean;
  onOver(): void;
  answer(got: Got | undefined): void;
  fail(error: unknown): void;
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

/**
 * Gathers calls that are made in the same turn of the event loop, or while requests are under way, into one request. A lone
 * call is told so at the end of its turn, and goes by itself.
 */
export class Gathering {
  readonly #sendMany: SendMany;
  readonly #waiting: Waiting[] = [];
  /** What calls under way are for. */
  readonly #orders = new Set<string>();
  #underWay = 0;
  #isDue = false;
  /** The ledger is older than lists are. */
  #isRefused = false;

  constructor(sendMany: SendMany) {
    this.#sendMany = sendMany;
  }

  /**
   * What a call got; undefined: it has to go by itself, and `done` has to be called when it has been answered. Rejects with
   * what its request ran into, with the signal's reason, or when its time is over: with NeverSent before it was sent.
   */
  ask(call: Gathered): Promise<Got | undefined> {
    if (this.#isRefused) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const end = () => {
        waiting.isOver = true;
        clearTimeout(timer);
        stopListening();
        waiting.onOver();
      };
      const waiting: Waiting = {
        ...call,
        isSent: false,
        isOver: false,
        isApart: false,
        onOver() {},
        answer(got) {
          end();
          resolve(got);
        },
        fail(error) {
          end();
          reject(waiting.isSent ? error : new NeverSent(error));
        },
      };
      const late = () => waiting.fail(new Error(`no answer within ${Math.round(call.ms)} ms`));
      const timer = setTimeout(late, call.ms);
      let stopListening = () => {};
      stopListening = onAbort(call.signal, (reason) => waiting.fail(reason));
      if (waiting.isOver) return;
      this.#waiting.push(waiting);
      this.#flushSoon();
    });
  }

  /** A call that went by itself has been answered, or never will be. */
  done({ order }: Pick<Gathered, 'order'>): void {
    if (this.#isRefused) return;
    this.#end(order === undefined ? [] : [order]);
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
      for (const one of together) {
        one.isSent = true;
        if (one.order !== undefined) this.#orders.add(one.order);
      }
      if (together.length === 1) first.answer(undefined);
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
      const isLast = taken.length > 0 && (one.isApart || taken[0]?.isApart);
      const isHeld = one.order !== undefined && (held.has(one.order) || this.#orders.has(one.order));
      const isFull =
        taken.length >= MOST || (taken.length > 0 && characters + one.json.length > MOST_CHARACTERS);
      if (isHeld || isFull || isLast) {
        left.push(one);
        if (one.order !== undefined) held.add(one.order);
        continue;
      }
      characters += one.json.length;
      taken.push(one);
    }
    this.#waiting.push(...left);
    return taken;
  }

  async #send(together: readonly Waiting[]): Promise<void> {
    const gone = new AbortController();
    let left = together.length;
    for (const one of together) {
      one.onOver = () => {
        left -= 1;
        if (left === 0) gone.abort(new Error('nobody waits for it any more'));
      };
    }
    const ms = Math.max(...together.map((one) => one.ms));
    try {
      const list = together.map(({ json }) => json).join(',');
      const got = await this.#sendMany(list, {
        ...{ signal: gone.signal, ms, count: together.length },
      });
      if (got === 'apart') return this.#putBack(together);
      if (got === 'no-lists') this.#isRefused = true;
      for (const [index, one] of together.entries())
        if (!one.isOver) one.answer(got === 'no-lists' ? undefined : got[index]);
    } catch (error) {
      for (const one of together) if (!one.isOver) one.fail(error);
    } finally {
      this.#end(together.flatMap(({ order }) => order ?? []));
    }
  }

  /** Before all others: they came first. Nothing was done for them. */
  #putBack(together: readonly Waiting[]): void {
    for (const one of together) {
      one.isApart = true;
      one.isSent = false;
      one.onOver = () => {};
    }
    this.#waiting.unshift(...together);
  }

  #end(orders: readonly string[]): void {
    this.#underWay -= 1;
    for (const order of orders) this.#orders.delete(order);
    if (this.#isRefused) for (const one of this.#waiting.splice(0)) one.answer(undefined);
    else if (this.#waiting.length > 0) this.#flushSoon();
  }
}

/** Once everything that is to be done now has been done. */
const afterThisTurn: (work: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : (work) => void setTimeout(work, 0);
