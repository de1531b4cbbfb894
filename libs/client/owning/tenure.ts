import type { Answered, Transport } from '../calls/transport.js';
import type { LedgerProblem } from '../errors.js';
import type { CommandAnswer, Owner, Session } from '../generated/api.js';
import { Gate, type HeldState, NotHeld } from './gate.js';
import { LocalLease } from './local-lease.js';
import {
  type Held,
  isForeign,
  type Loss,
  type LossReason,
  lossOf,
  lossOfRefusal,
  lossOfRestored,
  type Seen,
} from './loss.js';
import { OwnCommands } from './own-commands.js';
import { isKeptByHeartbeat, type Renewable, type Renewals } from './renewals.js';
import { endCauseOf } from './watch.js';

/** What a tenure needs of the client whose it is. */
export interface Keeper {
  readonly transport: Transport;
  readonly renewals: Renewals;
  onTrouble(error: unknown): void;
  /** The session was rotated: it is another one now. */
  moved(from: string, to: string): void;
  /** The session is not held any more. */
  forget(sessionId: string): void;
}

/**
 * What a process knows of its ownership, from the answer that began it until it is given up or lost. Answers,
 * renewals and what is seen of the scope come in here; here alone is decided that the session is lost.
 */
export class Tenure implements Renewable {
  readonly commands = new OwnCommands();
  readonly owner: Owner;
  readonly #keeper: Keeper;
  readonly #lease = new LocalLease();
  readonly #gate = new Gate(this.#lease);
  readonly #listeners = new Set<(loss: Loss) => void>();
  readonly #gone = new AbortController();
  #view: Session;
  /** The latest revision of the scope that was seen. */
  #revision: number;
  #state: HeldState = 'held';
  #loss: Loss | undefined;

  constructor(keeper: Keeper, owner: Owner, { body, sentAt, isOld }: Answered<CommandAnswer>) {
    this.#keeper = keeper;
    this.owner = owner;
    this.#view = body.session;
    this.#revision = body.session.revision;
    // How old the lease is that an answer did not start, only a renewal tells.
    if (isOld || body.outcome === 'unchanged') this.#doubt();
    else {
      this.#lease.renewed(body.session, sentAt);
      if (isKeptByHeartbeat(body.session)) keeper.renewals.keep(this, sentAt);
    }
  }

  get sessionId(): string {
    return this.#view.sessionId;
  }

  get epoch(): number {
    return this.#view.epoch;
  }

  /** The session as the ledger last told it. */
  get view(): Session {
    return this.#view;
  }

  /** What the ledger need not tell again. */
  get revision(): number {
    return this.#revision;
  }

  get state(): HeldState {
    return this.#state;
  }

  get loss(): Loss | undefined {
    return this.#loss;
  }

  get leftMs(): number {
    return this.#lease.leftMs;
  }

  get leaseMs(): number {
    return this.#lease.ms;
  }

  /** Aborts when the tenure is over; when it was lost, once it is known how. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  onLost(listener: (loss: Loss) => void): () => void {
    const loss = this.#loss;
    if (loss) queueMicrotask(() => this.#tell(listener, loss));
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `work` at once, or throws NotHeld. */
  run<T>(work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    return this.#gate.run(work);
  }

  /** The lease was renewed under `epoch`, by a request that was sent at `sentAt`. */
  renewed(epoch: number, sentAt: number): void {
    if (epoch !== this.epoch || this.#state !== 'held' || this.#view.status === 'ending') return;
    this.#lease.renewed(this.#view, sentAt);
    this.#gate.leaseMoved();
  }

  /** The ledger has refused to renew what it was named. */
  refused(named: Held, problem: LedgerProblem): void {
    if (problem.code === 'session-ending') this.#keeper.renewals.drop(this);
    this.#judge(problem, (held) =>
      named.sessionId === held.sessionId && named.epoch === held.epoch
        ? lossOfRefusal(held, problem)
        : undefined,
    );
  }

  /** What the ledger says of the scope. */
  seen(seen: Seen): void {
    this.#revision = Math.max(this.#revision, seen.current?.revision ?? seen.last?.revision ?? 0);
    this.#judge(seen, (held) => lossOf(held, seen));
  }

  /** The ledger was restored: what it knows counts, though it is less than was seen before. */
  restored(seen: Seen): void {
    if (this.#state !== 'held' || !this.commands.isIdle) return; // it is told again
    const why = lossOfRestored(this, seen);
    if (why) return void this.lose(why, seen.current);
    this.#view = seen.current ?? this.#view;
    this.#revision = this.#view.revision;
  }

  /** What an own command made of the session. */
  answered(session: Session): void {
    const before = this.sessionId;
    this.#revision = Math.max(this.#revision, session.revision);
    if (session.revision >= this.#view.revision) this.#view = session;
    if (this.sessionId !== before) this.#keeper.moved(before, this.sessionId);
  }

  /** It drains: for so many seconds from `sentAt` on, or for what is left when it did before. Nothing renews it. */
  drains(seconds: number | undefined, sentAt: number): void {
    this.#keeper.renewals.drop(this);
    if (seconds !== undefined) this.#lease.drains(seconds, sentAt);
    this.#gate.leaseMoved();
  }

  /** A rotation or recovery that was asked for before: is its successor still this owner's? */
  takeUp({ session, current }: CommandAnswer): void {
    if (session.status === 'ended') void this.lose(session.endCause ?? 'ended', current ?? undefined);
    else if (!session.owner || isForeign(this, session)) void this.lose('claimed', session);
    else this.#doubt();
  }

  /** Shuts the gate at once; tells once it is known how the session was lost. Never rejects. */
  async lose(why: LossReason | 'ask', current: Session | undefined): Promise<void> {
    const { sessionId, epoch } = this;
    this.close('lost');
    const known = why === 'ask' ? await endCauseOf(this.#keeper.transport, sessionId) : why;
    const loss: Loss = { why: known, sessionId, epoch, ...(current && { current }) };
    this.#loss = loss;
    const reason = new NotHeld('lost', loss);
    this.#gate.shut(reason);
    this.#gone.abort(reason);
    for (const listener of this.#listeners) this.#tell(listener, loss);
    this.#listeners.clear();
  }

  /** Nothing begins any more, and nothing is renewed. */
  close(state: Exclude<HeldState, 'held'>): void {
    this.#state = state;
    const reason = new NotHeld(state);
    this.#gate.shut(reason);
    this.#keeper.renewals.drop(this);
    this.#keeper.forget(this.sessionId);
    if (state !== 'lost') this.#gone.abort(reason);
  }

  /** The lease is of unknown age: it counts once it was renewed. */
  #doubt(): void {
    this.#lease.doubted(this.#view);
    if (isKeptByHeartbeat(this.#view)) this.#keeper.renewals.keep(this);
  }

  /** Own changes look like somebody's until they are answered: only then is judged what was seen. */
  #judge({ current }: Seen, judge: (held: Held) => LossReason | 'ask' | undefined): void {
    const decide = () => {
      if (this.#state !== 'held') return;
      const why = judge({ sessionId: this.sessionId, epoch: this.epoch });
      if (why) void this.lose(why, current);
      else this.#learn(current);
    };
    const { isIdle, leave, done } = this.commands;
    if (!isIdle && (leave || !isForeign(this, current))) void done.then(decide);
    else decide();
  }

  /** Takes over what somebody else has changed without touching the ownership. */
  #learn(seen: Session | undefined): void {
    const isNews =
      seen?.sessionId === this.sessionId && seen.epoch === this.epoch && seen.revision > this.#view.revision;
    if (!isNews) return;
    this.#view = seen;
    if (seen.status === 'ending') this.#keeper.renewals.drop(this);
  }

  #tell(listener: (loss: Loss) => void, loss: Loss): void {
    try {
      listener(loss);
    } catch (error) {
      this.#keeper.onTrouble(error);
    }
  }
}
