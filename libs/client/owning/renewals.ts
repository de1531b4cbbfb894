import type { AnswerOf, Transport } from '../calls/transport.js';
import { LONGEST_TIMER_MS, now } from '../clock.js';
import { LedgerProblem } from '../errors.js';
import type { Session } from '../generated/api.js';
import type { Held } from './loss.js';

/** A session whose lease is kept. */
export interface Renewable {
  readonly sessionId: string;
  readonly epoch: number;
  /** Milliseconds; not Infinity. */
  readonly leaseMs: number;
  /** The ledger has renewed it under `epoch`, on a request sent at `sentAt`. */
  renewed(epoch: number, sentAt: number): void;
  /** The ledger has refused to, under `sessionId` and `epoch`. */
  refused(named: Held, problem: LedgerProblem): void;
}

type Result = AnswerOf<'renewLeases'>['results'][number];

const MOST_A_REQUEST = 1_000;
const SOONEST_MS = 50;

/**
 * Keeps the leases of many sessions with one timer: each is renewed after about a third of its lease, and whatever
 * is due soon goes along in the same request, up to 1,000 in each.
 */
export class Renewals {
  readonly #transport: Transport;
  readonly #onTrouble: (error: unknown) => void;
  /** When each is due, by `now()`; Infinity while it is being renewed. */
  readonly #due = new Map<Renewable, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(transport: Transport, onTrouble: (error: unknown) => void) {
    this.#transport = transport;
    this.#onTrouble = onTrouble;
  }

  get size(): number {
    return this.#due.size;
  }

  /** Begins to renew a session whose lease was started at `startedAt`; at once when that is not known. */
  keep(session: Renewable, startedAt?: number): void {
    this.#set(session, startedAt === undefined ? now() : nextAt(session, startedAt));
  }

  drop(session: Renewable): void {
    this.#due.delete(session);
    if (this.#due.size === 0) this.#sleep(Number.POSITIVE_INFINITY);
  }

  #set(session: Renewable, at: number): void {
    this.#due.set(session, at);
    if (at < this.#wakesAt) this.#sleep(at);
  }

  #sleep(until: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = until;
    if (until !== Number.POSITIVE_INFINITY) {
      const ms = Math.min(Math.max(0, until - now()), LONGEST_TIMER_MS);
      this.#timer = setTimeout(() => this.#wake(), ms);
    }
  }

  #wake(): void {
    const at = now();
    if (at < this.#wakesAt) {
      this.#sleep(this.#wakesAt);
      return;
    }
    // A quarter of the time between two renewals early: then those that began together stay together.
    const due = [...this.#due]
      .filter(([session, dueAt]) => dueAt - at <= session.leaseMs / 12)
      .map(([one]) => one);
    for (const session of due) this.#due.set(session, Number.POSITIVE_INFINITY);
    let next = Number.POSITIVE_INFINITY;
    for (const dueAt of this.#due.values()) next = Math.min(next, dueAt);
    this.#sleep(next);
    for (const chunk of chunks(due, MOST_A_REQUEST)) void this.#renew(chunk);
  }

  /** Renews one chunk. Never rejects: who could not be reached is tried again, its lease runs on meanwhile. */
  async #renew(sessions: Renewable[]): Promise<void> {
    const named = sessions.map(({ sessionId, epoch }) => ({ sessionId, epoch }));
    const ms = Math.max(500, Math.min(...sessions.map(({ leaseMs }) => leaseMs / 3)));
    try {
      const options = { deadlineMs: ms, attemptMs: ms };
      const { body, sentAt } = await this.#transport.call('renewLeases', { body: named }, options);
      for (const [index, session] of sessions.entries()) {
        this.#take(session, named[index] as Held, body.results[index], sentAt);
      }
    } catch (error) {
      this.#onTrouble(error);
      for (const session of sessions) this.#again(session);
    }
  }

  #take(session: Renewable, named: Held, result: Result | undefined, sentAt: number): void {
    // What is not answered for as it was asked was not renewed.
    if (result?.sessionId !== named.sessionId) this.#again(session);
    else if ('problem' in result) {
      session.refused(named, new LedgerProblem(result.problem, { outcomeUnknown: false }));
      this.#again(session);
    } else {
      session.renewed(named.epoch, sentAt);
      if (this.#due.has(session)) this.#set(session, nextAt(session, sentAt));
    }
  }

  #again(session: Renewable): void {
    if (!this.#due.has(session)) return; // it was given up meanwhile
    this.#set(session, now() + SOONEST_MS + (session.leaseMs / 10) * Math.random());
  }

  /** Ends all renewing. */
  close(): void {
    this.#due.clear();
    this.#sleep(Number.POSITIVE_INFINITY);
  }
}

/** After about a third of the lease: 80 to 100 % of it, so that sessions of many processes spread. */
function nextAt({ leaseMs }: Renewable, renewedAt: number): number {
  return renewedAt + (leaseMs / 3) * (0.8 + 0.2 * Math.random());
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.slice(at, at + size));
  return parts;
}

/** Whether a session's lease is its owner's to renew by itself; one that use renews would never end. */
export function isKeptByHeartbeat({ lease }: Session): boolean {
  return lease !== undefined && lease.renewOn !== 'use';
}
