import type { CommandAnswer, Operations, Owner, Position, Session } from './api.js';
import { ClientBusy, LedgerError, LedgerProblem } from './errors.js';
import { Gate, type HeldState, NotHeld } from './gate.js';
import { LocalLease } from './local-lease.js';
import {
  type Held,
  isForeign,
  type Loss,
  type LossReason,
  lossOf,
  lossOfRefusal,
  type Seen,
} from './loss.js';
import { isKeptByHeartbeat, type Renewable, type Renewals } from './renewals.js';
import type { Answered, CallOptions, RequestOf, Transport } from './transport.js';

/** What a guarded call gets to know. */
export interface Guarded {
  sessionId: string;
  /** To be shown wherever the call writes: what it writes to refuses an older one. */
  epoch: number;
  /** Aborts, with a NotHeld, when the session is lost or given up, or its lease could be over. */
  signal: AbortSignal;
}

/** What a session needs of the client that holds it. */
export interface Keeper {
  readonly transport: Transport;
  readonly renewals: Renewals;
  onTrouble(error: unknown): void;
  /** The session has another id now, which it was rotated to. */
  moved(session: OwnedSession, from: string): void;
  /** The session is not held any more. */
  forget(session: OwnedSession): void;
}

type OwnCommand =
  | 'activateSession'
  | 'rotateSession'
  | 'releaseOwnership'
  | 'endSession'
  | 'changeAttributes';
type BodyOf<Id extends OwnCommand> = Omit<Operations[Id]['body'], 'epoch' | 'owner' | 'origin'>;

/** How long disposing of a session waits for the ledger. */
const DISPOSE_MS = 5_000;
/** How long a loss waits for the record of how it came about. */
const WHY_MS = 60;
const MOST_COMMANDS = 100;

/**
 * A session of this process, from its start until it is released, ended or lost. It renews its lease by itself,
 * knows its epoch, and begins no guarded call that the lease might not cover. While it is held the process stays.
 * Its commands run one after the other, at most 100 of them wait; it shows the epoch for them.
 */
export class OwnedSession implements AsyncDisposable, Renewable {
  readonly owner: Owner;
  readonly #keeper: Keeper;
  readonly #lease = new LocalLease();
  readonly #gate = new Gate(this.#lease);
  readonly #listeners = new Set<(loss: Loss) => void>();
  readonly #gone = new AbortController();
  #session: Session;
  #position: Position;
  /** The latest revision of the scope that was seen. */
  #revision: number;
  #state: HeldState = 'held';
  #loss: Loss | undefined;
  /** Settles when the own commands so far are done. Never rejects. */
  #commands: Promise<unknown> = Promise.resolve();
  readonly #waiting: OwnCommand[] = [];

  /** Made by the client only. */
  constructor(keeper: Keeper, owner: Owner, { body, sentAt, isOld }: Answered<CommandAnswer>) {
    this.#keeper = keeper;
    this.owner = owner;
    this.#session = body.session;
    this.#position = body.position;
    this.#revision = body.session.revision;
    // How old the lease is that an answer did not start, only a renewal tells.
    const isFresh = !isOld && body.outcome !== 'unchanged';
    if (isFresh) this.#lease.renewed(body.session, sentAt);
    else this.#lease.doubted(body.session);
    if (isKeptByHeartbeat(body.session)) keeper.renewals.keep(this, isFresh ? sentAt : undefined);
  }

  /** Of the session that is held now: another one after a rotation. */
  get sessionId(): string {
    return this.#session.sessionId;
  }

  /** The fencing token: show it wherever you write on behalf of the session. */
  get epoch(): number {
    return this.#session.epoch;
  }

  /** The session as the ledger last told it. */
  get view(): Session {
    return this.#session;
  }

  /** Of the last change that was made through this handle. */
  get position(): Position {
    return this.#position;
  }

  get state(): HeldState {
    return this.#state;
  }

  get loss(): Loss | undefined {
    return this.#loss;
  }

  /** Milliseconds of the lease that are left for certain; Infinity without a lease, not above 0 when it could be over. */
  get leftMs(): number {
    return this.#lease.leftMs;
  }

  get leaseMs(): number {
    return this.#lease.ms;
  }

  /** Aborts when the session is lost, released or ended. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Calls `listener` once, when the session is lost; soon, when it is lost already. Returns how to stop that. */
  onLost(listener: (loss: Loss) => void): () => void {
    const loss = this.#loss;
    if (loss) queueMicrotask(() => this.#tell(listener, loss));
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls `work` if the session is held; after a rotation, release or end that is under way. Rejects with NotHeld
   * otherwise, and does not call it: also when the lease could be over by this process's own clock.
   */
  async run<T>(work: (guarded: Guarded) => T | Promise<T>): Promise<T> {
    while (this.#waiting.some(changesEpoch)) await this.#commands;
    return this.#gate.run((signal) => work({ sessionId: this.sessionId, epoch: this.epoch, signal }));
  }

  /** Confirms a session that was started in phase `starting`. */
  activate(options?: CallOptions): Promise<CommandAnswer> {
    return this.#command('activateSession', { owner: this.owner }, options);
  }

  /** Replaces the session by a successor, which this handle holds from then on. */
  rotate(body: BodyOf<'rotateSession'>, options?: CallOptions): Promise<CommandAnswer> {
    return this.#command('rotateSession', { ...body, owner: this.owner }, options);
  }

  /** Merges a JSON merge patch (RFC 7396) into the attributes. */
  changeAttributes(attributes: object, options?: CallOptions): Promise<CommandAnswer> {
    return this.#command('changeAttributes', { attributes, owner: this.owner }, options);
  }

  /** Lets go without ending the session: it stays current, for another owner to claim. */
  release(body: BodyOf<'releaseOwnership'> = {}, options?: CallOptions): Promise<CommandAnswer> {
    return this.#command('releaseOwnership', { ...body, owner: this.owner }, options);
  }

  /** Ends the session; with `drainSeconds` it stays held until it is ended once more, without. */
  end(body: BodyOf<'endSession'>, options?: CallOptions): Promise<CommandAnswer> {
    return this.#command('endSession', { ...body, origin: this.owner }, options);
  }

  /** A sign of use, for a lease with `renewOn: 'use'`. */
  async touch(options?: CallOptions): Promise<void> {
    const { sessionId, epoch } = this;
    const { body, sentAt, isOld } = await this.#call(
      'touchSession',
      { params: { sessionId }, body: {} },
      options,
    );
    if (body.outcome === 'renewed' && !isOld) this.renewed(epoch, sentAt);
  }

  /** Releases the session if it is still held. Rejects when nobody can tell after 5 s whether it is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== 'held') return;
    try {
      await this.release({}, { deadlineMs: DISPOSE_MS });
    } catch (error) {
      const isOver = error instanceof NotHeld || (error instanceof LedgerProblem && !error.outcomeUnknown);
      this.abandon();
      if (!isOver) throw error; // else it is somebody else's, or nobody's: there is nothing to give back
    }
  }

  /** Stops renewing and watching, and leaves the session to its lease. */
  abandon(): void {
    if (this.#state === 'held') this.#close('released');
  }

  /** For the client: the ledger has renewed the lease. */
  renewed(epoch: number, sentAt: number): void {
    if (epoch !== this.epoch || this.#state !== 'held' || this.#session.status === 'ending') return;
    this.#lease.renewed(this.#session, sentAt);
    this.#gate.leaseMoved();
  }

  /** For the client: the ledger has refused to renew what it was named. */
  refused(named: Held, problem: LedgerProblem): void {
    if (problem.code === 'session-ending') this.#keeper.renewals.drop(this);
    this.#judge(problem, (held) =>
      named.sessionId === held.sessionId && named.epoch === held.epoch
        ? lossOfRefusal(held, problem)
        : undefined,
    );
  }

  /** For the client: what the ledger says of the scope. */
  seen(seen: Seen): void {
    this.#revision = Math.max(this.#revision, seen.current?.revision ?? seen.last?.revision ?? 0);
    this.#judge(seen, (held) => lossOf(held, seen));
  }

  /** For the client: what `seen` need not tell again. */
  get revision(): number {
    return this.#revision;
  }

  /** Own changes look like somebody's until they are answered: only then is judged what was seen. */
  #judge({ current }: Seen, judge: (held: Held) => LossReason | 'ask' | undefined): void {
    const decide = () => {
      if (this.#state !== 'held') return;
      const why = judge({ sessionId: this.sessionId, epoch: this.epoch });
      if (why) void this.#lose(why, current);
      else this.#learn(current);
    };
    const isLeaving = this.#waiting.some((one) => one === 'releaseOwnership' || one === 'endSession');
    if (this.#waiting.length > 0 && (isLeaving || !isForeign(this, current)))
      void this.#commands.then(decide);
    else decide();
  }

  /** Takes over what somebody else has changed without touching the ownership. */
  #learn(seen: Session | undefined): void {
    if (
      seen?.sessionId !== this.sessionId ||
      seen.epoch !== this.epoch ||
      seen.revision <= this.#session.revision
    )
      return;
    this.#session = seen;
    if (seen.status === 'ending') this.#keeper.renewals.drop(this);
  }

  #command<Id extends OwnCommand>(id: Id, body: object, options: CallOptions = {}): Promise<CommandAnswer> {
    if (this.#waiting.length >= MOST_COMMANDS) {
      return Promise.reject(new ClientBusy(`${MOST_COMMANDS} commands of the session wait`));
    }
    this.#waiting.push(id);
    const done = this.#commands.then(() => this.#execute(id, body, options));
    this.#commands = done.then(ignore, ignore);
    return done;
  }

  async #execute(id: OwnCommand, body: object, options: CallOptions): Promise<CommandAnswer> {
    try {
      if (this.#state !== 'held') throw new NotHeld(this.#state, this.#loss);
      const { sessionId, epoch } = this;
      const request = { params: { sessionId }, body: { ...body, epoch } } as unknown as RequestOf<OwnCommand>;
      const answer = await this.#call(id, request, options).catch((error) => {
        this.#failed(id, error, options.signal?.aborted ?? false);
        throw error;
      });
      this.#done(id, answer, (body as { drainSeconds?: number }).drainSeconds);
      return answer.body;
    } finally {
      this.#waiting.shift();
    }
  }

  #call<Id extends OwnCommand | 'touchSession'>(id: Id, request: RequestOf<Id>, options?: CallOptions) {
    return this.#keeper.transport.call(id, request, options);
  }

  #done(id: OwnCommand, answer: Answered<CommandAnswer>, drainSeconds: number | undefined): void {
    if (this.#state !== 'held') return; // lost meanwhile, whatever this came to
    const { session, outcome, position } = answer.body;
    const { sessionId: before } = this;
    this.#position = position;
    this.#revision = Math.max(this.#revision, session.revision);
    if (session.revision >= this.#session.revision) this.#session = session;
    if (this.sessionId !== before) this.#keeper.moved(this, before);
    if (id === 'releaseOwnership') this.#close('released');
    else if (outcome === 'ending') this.#drain(drainSeconds, answer.sentAt);
    else if (id === 'endSession' && outcome !== 'unchanged') this.#close('ended');
    else if (outcome === 'already-rotated') this.#takeUp(answer.body);
    else if (/^(activated|changed|rotated)$/.test(outcome) && !answer.isOld)
      this.renewed(this.epoch, answer.sentAt);
  }

  /** A rotation that was asked for before: is its successor still this owner's? */
  #takeUp({ session, current }: CommandAnswer): void {
    if (session.status === 'ended') void this.#lose(session.endCause ?? 'ended', current);
    else if (!session.owner || isForeign(this, session)) void this.#lose('claimed', session);
    else {
      this.#lease.doubted(session);
      if (isKeptByHeartbeat(session)) this.#keeper.renewals.keep(this);
    }
  }

  #drain(seconds: number | undefined, sentAt: number): void {
    this.#keeper.renewals.drop(this);
    if (seconds !== undefined) this.#lease.drains(seconds, sentAt);
    this.#gate.leaseMoved();
  }

  #failed(id: OwnCommand, error: unknown, isAborted: boolean): void {
    const isUnknown = error instanceof LedgerError ? error.outcomeUnknown : isAborted;
    if (isUnknown && changesEpoch(id)) void this.#lose('unknown-outcome', undefined);
    else if (error instanceof LedgerProblem && this.#state === 'held') {
      const why = lossOfRefusal({ sessionId: this.sessionId, epoch: this.epoch }, error);
      if (why) void this.#lose(why, error.current);
    }
  }

  /** Shuts the gate at once; tells once it is known how the session was lost. Never rejects. */
  async #lose(why: LossReason | 'ask', current: Session | undefined): Promise<void> {
    const { sessionId, epoch } = this;
    this.#close('lost');
    const known = why === 'ask' ? await this.#endCauseOf(sessionId) : why;
    const loss: Loss = { why: known, sessionId, epoch, ...(current && { current }) };
    this.#loss = loss;
    const reason = new NotHeld('lost', loss);
    this.#gate.shut(reason);
    this.#gone.abort(reason);
    for (const listener of this.#listeners) this.#tell(listener, loss);
    this.#listeners.clear();
  }

  async #endCauseOf(sessionId: string): Promise<LossReason> {
    const limits = { deadlineMs: WHY_MS, attemptMs: WHY_MS };
    const asked = this.#keeper.transport.call('session', { params: { sessionId } }, limits);
    return asked.then(
      ({ body }) => body.endCause ?? 'superseded',
      () => 'superseded', // that another one is current is known
    );
  }

  #tell(listener: (loss: Loss) => void, loss: Loss): void {
    try {
      listener(loss);
    } catch (error) {
      this.#keeper.onTrouble(error);
    }
  }

  #close(state: Exclude<HeldState, 'held'>): void {
    this.#state = state;
    const reason = new NotHeld(state);
    this.#gate.shut(reason);
    this.#keeper.renewals.drop(this);
    this.#keeper.forget(this);
    if (state !== 'lost') this.#gone.abort(reason);
  }
}

/** Commands after which the session has another epoch, or nobody to hold it. */
function changesEpoch(command: OwnCommand): boolean {
  return command === 'rotateSession' || command === 'releaseOwnership' || command === 'endSession';
}

function ignore(): void {}
