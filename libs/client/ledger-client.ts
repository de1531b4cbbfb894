import {
  type Answered,
  type AnswerOf,
  type CallOptions,
  type RequestOf,
  type StreamedRequest,
  type StreamId,
  Transport,
  type TransportOptions,
} from './calls/transport.js';
import { LONGEST_TIMER_MS, now } from './clock.js';
import { ClientBusy, isProblem, LedgerError, NoAnswer } from './errors.js';
import type { CommandAnswer, LedgerEvent, OperationId, Operations, Owner, Session } from './generated/api.js';
import { NotHeld } from './owning/gate.js';
import { type Guarded, OwnedSession } from './owning/owned-session.js';
import { Renewals } from './owning/renewals.js';
import { type Keeper, Tenure } from './owning/tenure.js';
import { watchScope } from './owning/watch.js';
import type { SessionName } from './resolving/reference.js';

export interface LedgerOptions extends TransportOptions {
  /** Most sessions held at once: 10,000 unless set. The next start is refused with ClientBusy, before it is sent. */
  maxSessions?: number | undefined;
  /**
   * For how many of them to wait at the ledger, each on a connection of its own: 1,000 unless set, 0 for none. The
   * others hear that they are lost from their next renewal.
   */
  maxWatches?: number | undefined;
  /** What went wrong where nobody awaits it: a renewal or a wait that is tried again, a listener that threw. */
  onTrouble?: ((error: unknown) => void) | undefined;
}

/** A user, and one of the user's projects: `default` when left out. */
export interface ScopeName {
  userId: string;
  projectId?: string | undefined;
}

type StartBody = Operations['startSession']['body'];
/** What a start may say. To use a session without owning it there is `join`. */
export type StartRequest = Omit<StartBody, 'onConflict'> & { onConflict?: 'supersede' | 'reject' };
export type JoinRequest = Omit<StartBody, 'onConflict'>;
export type ClaimRequest = Operations['claimOwnership']['body'] & { sessionId: string };

const PAGE = 500;

/** One ledger, as a process uses it. Every method rejects with a LedgerError when it comes to nothing. */
export class LedgerClient implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #renewals: Renewals;
  readonly #keeper: Keeper;
  readonly #held = new Map<string, OwnedSession>();
  readonly #maxSessions: number;
  readonly #maxWatches: number;
  readonly #closing = new AbortController();
  #starting = 0;
  #watches = 0;

  constructor(options: LedgerOptions) {
    const { maxSessions = 10_000, maxWatches = 1_000, onTrouble = () => {} } = options;
    this.#transport = new Transport(options);
    this.#renewals = new Renewals(this.#transport, onTrouble);
    this.#maxSessions = maxSessions;
    this.#maxWatches = maxWatches;
    this.#keeper = {
      transport: this.#transport,
      renewals: this.#renewals,
      onTrouble,
      moved: (from, to) => {
        const session = this.#held.get(from);
        this.#held.delete(from);
        if (session) this.#held.set(to, session);
      },
      forget: (sessionId) => this.#held.delete(sessionId),
    };
  }

  /** The ledger's address. */
  get url(): string {
    return this.#transport.url;
  }

  /** The sessions that are held now. */
  get held(): OwnedSession[] {
    return [...this.#held.values()];
  }

  /** Whether this client holds exactly this session, under this epoch and on a lease that is not over. */
  holds({ sessionId, epoch }: SessionName): boolean {
    const session = this.#held.get(sessionId.toLowerCase());
    return session !== undefined && session.epoch === epoch && session.leftMs > 0;
  }

  /** Any operation of the API, by its id in /openapi.json. Not the streams. */
  async call<Id extends Exclude<OperationId, StreamId>>(
    id: Id,
    request: RequestOf<Id>,
    options?: CallOptions,
  ): Promise<AnswerOf<Id>> {
    return (await this.#transport.call(id, request, options)).body;
  }

  /** One of the streams, or something else than JSON; `signal` ends it. */
  stream(
    id: StreamId,
    query: Record<string, unknown>,
    {
      params,
      ...options
    }: { signal: AbortSignal; lastEventId?: string | undefined } & Pick<StreamedRequest, 'params'>,
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#transport.open(id, { query, ...(params && { params }) }, options);
  }

  /** Starts a session and holds it. Rejects with `session-active` under `onConflict: 'reject'`. */
  start(body: StartRequest, options?: CallOptions): Promise<OwnedSession> {
    return this.#hold(body.owner, options, () => this.#transport.call('startSession', { body }, options));
  }

  /** Takes over a released session, or takes up one's own again after a restart, and holds it. */
  claim({ sessionId, ...body }: ClaimRequest, options?: CallOptions): Promise<OwnedSession> {
    const request = { params: { sessionId }, body };
    return this.#hold(body.owner, options, () => this.#transport.call('claimOwnership', request, options));
  }

  /** Gets the scope's session, or starts one: for those who use it together. It is not held: nothing renews it. */
  join(body: JoinRequest, options?: CallOptions): Promise<CommandAnswer> {
    return this.call('startSession', { body: { ...body, onConflict: 'join' } }, options);
  }

  /** The current session; undefined when none is. */
  async current({ userId, projectId }: ScopeName, options?: CallOptions): Promise<Session | undefined> {
    try {
      const query = { userId, ...(projectId !== undefined && { projectId }) };
      return await this.call('currentSession', { query }, options);
    } catch (error) {
      if (isProblem(error, 'no-current-session')) return undefined;
      throw error;
    }
  }

  /** Any session, also one that has ended. Rejects with `unknown-session`. */
  session(sessionId: string, options?: CallOptions): Promise<Session> {
    return this.call('session', { params: { sessionId } }, options);
  }

  /** Ends a session that this client need not hold. A stop that is too late changes nothing and rejects. */
  end(
    sessionId: string,
    body: Operations['endSession']['body'],
    options?: CallOptions,
  ): Promise<CommandAnswer> {
    return this.call('endSession', { params: { sessionId }, body }, options);
  }

  /** A scope's events, oldest first, a page of 500 at a time. */
  async *history({ userId, projectId }: ScopeName, options?: CallOptions): AsyncGenerator<LedgerEvent> {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const query = { userId, ...(projectId !== undefined && { projectId }), after, limit: PAGE };
      const page: AnswerOf<'scopeEvents'> = await this.call('scopeEvents', { query }, options);
      yield* page.events;
      after = page.next;
    }
  }

  /** Calls `work` if this client holds exactly this session: see `OwnedSession.run`. */
  guard<T>(sessionId: string, work: (guarded: Guarded) => T | Promise<T>): Promise<T> {
    const session = this.#held.get(sessionId.toLowerCase());
    return session ? session.run(work) : Promise.reject(new NotHeld('not-here'));
  }

  /**
   * Releases all sessions that are held, at most 100 at a time, within `deadlineMs` for all of them: 3 s unless set. Never
   * rejects: what cannot be released lapses.
   */
  async releaseAll({ deadlineMs = 3_000, ...options }: CallOptions = {}): Promise<void> {
    const until = now() + deadlineMs;
    const left = this.held.values();
    const release = async () => {
      for (const session of left) {
        const leftMs = until - now();
        if (leftMs <= 0) return;
        await session.release({}, { ...options, deadlineMs: leftMs }).catch(this.#keeper.onTrouble);
      }
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    // One that waits for its turn behind another command waits no longer either.
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(deadlineMs, LONGEST_TIMER_MS));
    });
    const all = Promise.allSettled(Array.from({ length: Math.min(100, this.held.length) }, release));
    await Promise.race([all, over]);
    clearTimeout(timer);
  }

  /** Stops renewing and waiting: what is held is left to its lease. Nothing can be started afterwards. */
  close(): void {
    this.#closing.abort(new Error('the client is closed'));
    for (const session of this.held) session.abandon();
    this.#renewals.close();
  }

  /** Releases all sessions, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.releaseAll();
    this.close();
  }

  async #hold(
    owner: Owner,
    options: CallOptions | undefined,
    ask: () => Promise<Answered<CommandAnswer>>,
  ): Promise<OwnedSession> {
    this.#closing.signal.throwIfAborted();
    if (this.#held.size + this.#starting >= this.#maxSessions) {
      throw new ClientBusy(`${this.#maxSessions} sessions are held`);
    }
    this.#starting += 1;
    try {
      const answered = await ask();
      if (answered.isOld) await this.#confirm(answered.body.session, options);
      const tenure = new Tenure(this.#keeper, owner, answered);
      const session = new OwnedSession(tenure, this.#transport, answered.body.position);
      this.#held.get(session.sessionId)?.abandon();
      this.#held.set(session.sessionId, session);
      this.#watch(tenure);
      if (this.#closing.signal.aborted) session.abandon();
      return session;
    } finally {
      this.#starting -= 1;
    }
  }

  /** An answer that repeats an old one says what was true then. Throws NotHeld when it is no longer. */
  async #confirm({ sessionId, epoch }: Session, options: CallOptions = {}): Promise<void> {
    try {
      const found = await this.session(sessionId, options);
      if (found.epoch !== epoch) throw new NotHeld(found.status === 'ended' ? 'ended' : 'lost');
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause;
      // The command was obeyed, only what has become of it is not known.
      throw new NoAnswer(1, { outcomeUnknown: true, idempotencyKey: options.idempotencyKey, cause });
    }
  }

  #watch(tenure: Tenure): void {
    if (this.#watches >= this.#maxWatches) return;
    this.#watches += 1;
    void watchScope({
      transport: this.#transport,
      scope: tenure.view.scope,
      after: () => tenure.revision,
      onSeen: (seen) => tenure.seen(seen),
      onRestored: (seen) => tenure.restored(seen),
      onTrouble: this.#keeper.onTrouble,
      signal: tenure.signal,
    }).then(() => {
      this.#watches -= 1;
    });
  }
}
