import type { Answered, CallOptions, RequestOf, Transport } from '../calls/transport.js';
import { LedgerError, LedgerProblem } from '../errors.js';
import {
  type CommandAnswer,
  type Owner,
  type Position,
  type Session,
  TIMER_OUTCOMES,
} from '../generated/api.js';
import { type HeldState, NotHeld } from './gate.js';
import { type Loss, lossOfRefusal } from './loss.js';
import { changesEpoch, type OwnBody, type OwnCommand } from './own-commands.js';
import type { Tenure } from './tenure.js';

/** What a guarded call gets to know. */
export interface Guarded {
  sessionId: string;
  /** To be shown wherever the call writes: what it writes to refuses an older one. */
  epoch: number;
  /** Aborts, with a NotHeld, when the session is lost or given up, or its lease could be over. */
  signal: AbortSignal;
}

/** How long disposing of a session waits for the ledger. */
const DISPOSE_MS = 5_000;

/**
 * A session of this process, from its start until it is released, ended or lost. It renews its lease by itself,
 * knows its epoch, and begins no guarded call that the lease might not cover. While it is held the process stays.
 * Its commands run one after the other, at most 100 of them wait; it shows the epoch for them.
 */
export class OwnedSession implements AsyncDisposable {
  readonly #tenure: Tenure;
  readonly #transport: Transport;
  #position: Position;

  /** Made by the client only. */
  constructor(tenure: Tenure, transport: Transport, position: Position) {
    this.#tenure = tenure;
    this.#transport = transport;
    this.#position = position;
  }

  get owner(): Owner {
    return this.#tenure.owner;
  }

  /** Of the session that is held now: another one after a rotation. */
  get sessionId(): string {
    return this.#tenure.sessionId;
  }

  /** The fencing token: show it wherever you write on behalf of the session. */
  get epoch(): number {
    return this.#tenure.epoch;
  }

  /** The session as the ledger last told it. */
  get view(): Session {
    return this.#tenure.view;
  }

  /** Of the last change that was made through this handle. */
  get position(): Position {
    return this.#position;
  }

  get state(): HeldState {
    return this.#tenure.state;
  }

  get loss(): Loss | undefined {
    return this.#tenure.loss;
  }

  /** Milliseconds of the lease that are left for certain; Infinity without a lease, not above 0 when it could be over. */
  get leftMs(): number {
    return this.#tenure.leftMs;
  }

  /** Aborts when the session is lost, released or ended. */
  get signal(): AbortSignal {
    return this.#tenure.signal;
  }

  /** Calls `listener` once, when the session is lost; soon, when it is lost already. Returns how to stop that. */
  onLost(listener: (loss: Loss) => void): () => void {
    return this.#tenure.onLost(listener);
  }

  /**
   * Calls `work` if the session is held; after a rotation, release or end that is under way. Rejects with NotHeld
   * otherwise, and does not call it: also when the lease could be over by this process's own clock.
   */
  async run<T>(work: (guarded: Guarded) => T | Promise<T>): Promise<T> {
    const { commands } = this.#tenure;
    while (commands.changeEpoch) await commands.done;
    return this.#tenure.run((signal) => work({ sessionId: this.sessionId, epoch: this.epoch, signal }));
  }

  /** Confirms a session that was started in phase `starting`. */
  activate(options?: CallOptions): Promise<CommandAnswer> {
    return this.command('activateSession', {}, options);
  }

  /** Replaces the session by a successor, which this handle holds from then on. */
  rotate(body: OwnBody<'rotateSession'>, options?: CallOptions): Promise<CommandAnswer> {
    return this.command('rotateSession', body, options);
  }

  /** Merges a JSON merge patch (RFC 7396) into the attributes. */
  changeAttributes(attributes: object, options?: CallOptions): Promise<CommandAnswer> {
    return this.command('changeAttributes', { attributes }, options);
  }

  /** Lets go without ending the session: it stays current, for another owner to claim. */
  release(body: OwnBody<'releaseOwnership'> = {}, options?: CallOptions): Promise<CommandAnswer> {
    return this.command('releaseOwnership', body, options);
  }

  /** Ends the session; with `drainSeconds` it stays held until it is ended once more, without. */
  end(body: OwnBody<'endSession'>, options?: CallOptions): Promise<CommandAnswer> {
    return this.command('endSession', body, options);
  }

  /** Any command of the owner, by its operation in /openapi.json; the session's id and epoch, and the owner, are added. */
  command<Id extends OwnCommand>(
    id: Id,
    body: OwnBody<Id>,
    options: CallOptions = {},
  ): Promise<CommandAnswer> {
    const own = { ...body, [id === 'endSession' ? 'origin' : 'owner']: this.owner };
    return this.#tenure.commands.add(id, () => this.#execute(id, own, options));
  }

  /** A sign of use, for a lease with `renewOn: 'use'`. */
  async touch(options?: CallOptions): Promise<void> {
    const { sessionId, epoch } = this;
    const request = { params: { sessionId }, body: {} };
    const { body, sentAt, isOld } = await this.#transport.call('touchSession', request, options);
    if (body.outcome === 'renewed' && !isOld) this.#tenure.renewed(epoch, sentAt);
  }

  /** Releases the session if it is still held. Rejects when nobody can tell after 5 s whether it is released. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.state !== 'held') return;
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
    if (this.state === 'held') this.#tenure.close('released');
  }

  async #execute(id: OwnCommand, body: object, options: CallOptions): Promise<CommandAnswer> {
    const { sessionId, epoch, state, loss } = this.#tenure;
    if (state !== 'held') throw new NotHeld(state, loss);
    options.signal?.throwIfAborted(); // nothing was sent: the session is as it was
    // One whose rotation, release or end stayed unknown is not held any more: no such command repeats another one.
    const mayRepeat = options.idempotencyKey !== undefined && !changesEpoch(id);
    const request = { params: { sessionId }, body: { ...body, epoch } } as unknown as RequestOf<OwnCommand>;
    try {
      const answer = await this.#transport.call(id, request, options, mayRepeat);
      this.#done(id, answer, (body as { drainSeconds?: number }).drainSeconds);
      return answer.body;
    } catch (error) {
      this.#failed(id, error, options.signal?.aborted ?? false);
      throw error;
    }
  }

  #done(id: OwnCommand, answer: Answered<CommandAnswer>, drainSeconds: number | undefined): void {
    const tenure = this.#tenure;
    if (tenure.state !== 'held') return; // lost meanwhile, whatever this came to
    const { session, outcome, position } = answer.body;
    this.#position = position;
    tenure.answered(session);
    if (id === 'releaseOwnership') tenure.close('released');
    else if (outcome === 'ending') tenure.drains(drainSeconds, answer.sentAt);
    else if (id === 'endSession' && outcome !== 'unchanged') tenure.close('ended');
    else if (outcome === 'already-rotated' || outcome === 'already-recovered') tenure.takeUp(answer.body);
    else if (TIMER_OUTCOMES.includes(outcome) && !answer.isOld) tenure.renewed(this.epoch, answer.sentAt);
  }

  #failed(id: OwnCommand, error: unknown, isAborted: boolean): void {
    const tenure = this.#tenure;
    const isUnknown = error instanceof LedgerError ? error.outcomeUnknown : isAborted;
    if (isUnknown && changesEpoch(id)) void tenure.lose('unknown-outcome', undefined);
    else if (error instanceof LedgerProblem && tenure.state === 'held') {
      const why = lossOfRefusal(tenure, error);
      if (why) void tenure.lose(why, error.current);
    }
  }
}
