import { type Answered, type Asked, type Ledger, ProblemError, serving } from '#api';
import { LedgerClient, type LedgerOptions, type OperationId } from '#client';
import { inMemory } from './ledger.js';
import { methodsAt, readRequest } from './requests.js';
import { respond } from './responses.js';
import { Store } from './store.js';

export interface MemoryLedgerOptions {
  /** 1 to 4,096; 16 unless set. */
  partitions?: number;
}

/**
 * A ledger in this process's memory, for unit tests: every operation of the API, by the service's own rules and with
 * the service's own checks. It keeps everything that it was told, and is gone with the process. Nothing of it is in
 * Kafka, nothing is ever archived, and there is no access control.
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

  /** A client of this ledger. */
  client(options: Omit<LedgerOptions, 'url' | 'fetch'> = {}): LedgerClient {
    return new LedgerClient({ ...options, url: 'http://memory.ledger', fetch: this.fetch });
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
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(input, init);
    const down = this.#down.signal;
    // The caller's own where there is one: a request that nobody holds any more may not pass it on.
    const caller = init.signal ?? request.signal;
    const signal = AbortSignal.any([caller, down]);
    const text = request.body === null ? '' : await request.text();
    const answered = signal.aborted ? undefined : await this.#serve(request, text, signal);
    caller.throwIfAborted();
    if (down.aborted || !answered) throw new TypeError('fetch failed', { cause: down.reason });
    return respond(answered, request.method === 'HEAD', this.#store, signal);
  };

  async #serve(request: Request, text: string, signal: AbortSignal): Promise<Answered> {
    try {
      const { id, asked } = readRequest(request, text, signal);
      this.#store.settle();
      // The request is that of its operation.
      const serve = serving[id] as (
        asked: Asked<OperationId>,
        ledger: Ledger,
      ) => Answered | Promise<Answered>;
      return await serve(asked, this.#ledger);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const { code, detail, more } = error;
      const headers = code === 'method-not-allowed' && { allow: methodsAt(request.url).join(', ') };
      return { problem: { code, detail, more }, ...(headers && { headers }) };
    }
  }
}
