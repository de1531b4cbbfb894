import { type Answered, type Asked, anonymous, type Caller, callerOf, type Ledger, serving } from '#api';
import { LedgerClient, type LedgerOptions, type OperationId, type Operations } from '#client';
import { inMemory } from './ledger.js';
import { methodsAt, problemOf, readRequest } from './requests.js';
import { respond } from './responses.js';
import { Store } from './store.js';

export interface MemoryLedgerOptions {
  /** 1 to 4,096; 16 unless set. */
  partitions?: number;
}

/** As whom a client asks. */
export interface AskingAs {
  /** Whether it may reach what is of all tenants. */
  ledgerWide?: boolean;
  /** `default` when left out. */
  tenant?: string;
  principal: string;
  permissions: Operations['createKey']['body']['permissions'];
}

/**
 * A ledger in this process's memory, for unit tests: every operation of the API, by the service's own rules and with
 * the service's own checks. It keeps everything that it was told, and is gone with the process. Nothing of it is in
 * Kafka, and nothing is ever archived. There are no credentials: whoever asks may do everything in one tenant, unless a
 * client says with `as` as whom it asks.
 */
export class MemoryLedger {
  readonly #store: Store;
  readonly #ledger: Ledger;
  #down = new AbortController();

  constructor({ partitions = 16 }: MemoryLedgerOptions = {}) {
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > 4_096) {
      throw new RangeError('a ledger has 1 to 4,096 partitions');
    }
    this.#store = new Store(partitions);
    this.#ledger = inMemory(this.#store);
  }

  /** A client of this ledger; `as` says as whom it asks, in place of a key. */
  client({ as, ...options }: Omit<LedgerOptions, 'url' | 'fetch'> & { as?: AskingAs } = {}): LedgerClient {
    const send = as ? this.fetchAs(as) : this.fetch;
    return new LedgerClient({ ...options, url: 'http://memory.ledger', fetch: send });
  }

  /**
   * Lets time pass at the ledger, at once: leases, graces and drains that are over by then end at their own time, in
   * order, and whoever waits for it hears of it. Clients keep their own time, by which they renew. Never back.
   */
  advance(seconds: number): void {
    if (!(seconds >= 0)) throw new RangeError('time goes forward');
    this.#store.advance(seconds * 1_000);
  }

  /** While it is down, connections fail; those that are open break. It has forgotten nothing when it is up again. */
  set isDown(isDown: boolean) {
    if (isDown) this.#down.abort(new Error('the memory ledger is down'));
    else if (this.isDown) this.#down = new AbortController();
  }

  get isDown(): boolean {
    return this.#down.signal.aborted;
  }

  /** In place of the global one, for a LedgerClient, or for your own requests to http://memory.ledger. */
  readonly fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    this.#fetch(anonymous, input, init);

  /** As `fetch`, for requests by somebody who may not do everything. */
  fetchAs({ tenant = 'default', ledgerWide = false, ...who }: AskingAs): typeof fetch {
    const caller = callerOf({ tenant, ledgerWide, ...who });
    return (input, init) => this.#fetch(caller, input as string | URL | Request, init);
  }

  async #fetch(caller: Caller, input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const request = new Request(input, init);
    const down = this.#down.signal;
    // The caller's own where there is one: a request that nobody holds any more may not pass it on.
    const waiting = init.signal ?? request.signal;
    const signal = AbortSignal.any([waiting, down]);
    const text = request.body === null ? '' : await request.text();
    const answered = signal.aborted ? undefined : await this.#serve(caller, request, text, signal);
    waiting.throwIfAborted();
    if (down.aborted || !answered) throw new TypeError('fetch failed', { cause: down.reason });
    return respond(answered, request.method === 'HEAD', this.#store, signal);
  }

  async #serve(caller: Caller, request: Request, text: string, signal: AbortSignal): Promise<Answered> {
    try {
      const { id, asked } = readRequest(request, text, caller, signal);
      this.#store.settle();
      // The request is that of its operation.
      const serve = serving[id] as (
        asked: Asked<OperationId>,
        ledger: Ledger,
      ) => Answered | Promise<Answered>;
      return await serve(asked, this.#ledger);
    } catch (error) {
      const problem = problemOf(error);
      const headers = problem.code === 'method-not-allowed' && { allow: methodsAt(request.url).join(', ') };
      return { problem, ...(headers && { headers }) };
    }
  }
}
