import type { Answer, Submission } from '#api';
import { takenInTurn } from '#waiting';
import { LogError } from '../errors.js';

/** A submission that waits for its answer. */
export interface Waiting extends Submission {
  /** By performance.now(); afterwards it is answered `timeout` if it still stands in the queue. */
  deadline: number;
  resolve(answer: Answer): void;
  reject(error: LogError): void;
}

/** A partition whose head somebody else holds: its commands, and when to try for it again, by performance.now(). */
interface Held {
  waiting: Waiting[];
  tryAt: number;
}

/** So long a head that was held for long is tried for, and not waited for. */
const WARY_MS = 10_000;

/** So many that wait are one batch all the same: nobody waits long for it, and callers that go together stay together. */
const FEW = 128;
/** Most commands of a batch while more wait, there are lists, and so many came one by one within so many milliseconds. */
const BESIDE = 32;
const SOME = 8;
const BESIDE_MS = 1_000;

/** Part of the queue that the commands of one held partition may fill. */
const HELD_SHARE = 1 / 8;

/**
 * The commands of a lane that wait, in the order of their arrival. Those of partitions whose heads somebody else holds
 * stand aside: nobody waits behind them, and they fill only a part of what may wait.
 */
export class Queue {
  private ready: Waiting[] = [];
  private readonly held = new Map<number, Held>();
  /** Until when a partition's head is tried for only, by performance.now(). */
  private readonly wary = new Map<number, number>();

  /** The deadlines of the last ones that did not come in a list, and how many those were. */
  private readonly alone = new Float64Array(SOME).fill(Number.NEGATIVE_INFINITY);
  private aloneCount = 0;

  /** How many of them each tenant has, where that is limited. */
  private readonly tenants = new Map<string, number>();

  /**
   * @param most Most commands that may wait; the next one is answered `overloaded`.
   * @param mostOfTenant The same of one tenant. What the ledger itself wants done is of no tenant.
   */
  constructor(
    private readonly most: number,
    private readonly mostOfTenant?: number,
  ) {}

  /** All that wait. */
  get waiting(): number {
    return this.ready.length + this.aside;
  }

  /** Those that stand aside. */
  get aside(): number {
    let sum = 0;
    for (const { waiting } of this.held.values()) sum += waiting.length;
    return sum;
  }

  /** Those that wait for nothing but their turn. */
  get readyCount(): number {
    return this.ready.length;
  }

  /** How many partitions stand aside. */
  get heldCount(): number {
    return this.held.size;
  }

  push(submission: Waiting): void {
    const aside = this.held.get(submission.partition)?.waiting;
    const isFull = aside ? aside.length >= Math.ceil(this.most * HELD_SHARE) : this.ready.length >= this.most;
    if (isFull || this.isFullOf(submission)) {
      submission.reject(new LogError('overloaded', 'Too many commands are waiting already.'));
      return;
    }
    if (submission.list === undefined) this.alone[this.aloneCount++ % SOME] = submission.deadline;
    this.count([submission], 1);
    (aside ?? this.ready).push(submission);
  }

  private isFullOf({ tenant }: Waiting): boolean {
    return this.mostOfTenant !== undefined && (this.tenants.get(tenant ?? '') ?? 0) >= this.mostOfTenant;
  }

  private count(submissions: readonly Waiting[], by: 1 | -1): void {
    if (this.mostOfTenant === undefined) return;
    for (const { tenant } of submissions) {
      if (!tenant) continue;
      const count = (this.tenants.get(tenant) ?? 0) + by;
      if (count > 0) this.tenants.set(tenant, count);
      else this.tenants.delete(tenant);
    }
  }

  /** Puts commands back before all others: they came first. */
  giveBack(submissions: readonly Waiting[]): void {
    this.count(submissions, 1);
    this.ready = [...submissions, ...this.ready];
  }

  /**
   * The next commands, at most so many: of any partition that does not stand aside, or of some. Those of a list come in the
   * order of their arrival, and so do a tenant's that came alone. When more wait than fit, tenants and lists take turns: who sends many holds up itself. So that
   * nobody waits long for a batch either, it is small while lists and single commands come at once.
   */
  take(most: number, partitions?: ReadonlySet<number>): Waiting[] {
    const taken = this.pick(this.isBesideLists() ? Math.min(most, BESIDE) : most, partitions);
    this.count(taken, -1);
    return taken;
  }

  private isBesideLists(): boolean {
    if (this.ready.length <= FEW) return false;
    const listed = this.ready.find(({ list }) => list !== undefined);
    const oldest = this.alone[this.aloneCount % SOME] as number;
    return listed !== undefined && listed.deadline - oldest < BESIDE_MS;
  }

  private pick(most: number, partitions?: ReadonlySet<number>): Waiting[] {
    const isShared =
      this.ready.length > most &&
      (this.tenants.size > 1 || this.ready.some(({ list }) => list !== undefined));
    if (!partitions && !isShared) return this.ready.splice(0, most);
    const wanted = partitions ? this.ready.filter((one) => partitions.has(one.partition)) : this.ready;
    const taken = isShared ? inTurn(wanted, most) : wanted.slice(0, most);
    const gone = new Set(taken);
    this.ready = this.ready.filter((one) => !gone.has(one));
    return taken;
  }

  /** The partitions that commands wait for: those whose heads may be waited for, and those to be tried for only. */
  wanted(now: number): { wait: number[]; attempt: number[] } {
    const [wait, attempt] = [[] as number[], this.dueToTry(now)];
    for (const partition of new Set(this.ready.map((one) => one.partition))) {
      (now < (this.wary.get(partition) ?? now) ? attempt : wait).push(partition);
    }
    return { wait, attempt };
  }

  /** Whether there are commands that may be taken, or heads to try for. */
  isReady(now: number): boolean {
    return this.ready.length > 0 || this.dueToTry(now).length > 0;
  }

  /** The partitions aside that may be tried for again. */
  dueToTry(now: number): number[] {
    const due: number[] = [];
    for (const [partition, { tryAt }] of this.held) if (tryAt <= now) due.push(partition);
    return due;
  }

  /** Has the commands of partitions stand aside until the time comes to try for their heads again. */
  setAside(partitions: readonly number[], tryAt: number): void {
    const fresh = new Set<number>();
    for (const partition of partitions) {
      const held = this.held.get(partition);
      if (held) held.tryAt = tryAt;
      else {
        this.held.set(partition, { waiting: [], tryAt });
        fresh.add(partition);
      }
    }
    if (fresh.size === 0) return;
    for (const one of this.pick(Number.POSITIVE_INFINITY, fresh))
      this.held.get(one.partition)?.waiting.push(one);
  }

  /** Somebody else has a partition's head: it stands aside, and is not waited for any more. */
  lose(partition: number, now: number, tryAt: number): void {
    this.wary.set(partition, now + WARY_MS);
    this.setAside([partition], tryAt);
  }

  /** The partition's head is to be had: its commands stand in line again, before those that came later. */
  restore(partition: number): void {
    const held = this.held.get(partition);
    if (!held) return;
    this.held.delete(partition);
    this.ready = [...held.waiting, ...this.ready];
  }

  /** Answers those whose time is over. Returns how many those were. */
  expire(now: number): number {
    const before = this.waiting;
    this.ready = inTime(this.ready, now);
    for (const [partition, held] of this.held) {
      held.waiting = inTime(held.waiting, now);
      if (held.waiting.length === 0) this.held.delete(partition);
    }
    const expired = before - this.waiting;
    if (expired > 0) this.recount();
    return expired;
  }

  private recount(): void {
    this.tenants.clear();
    this.count(this.ready, 1);
    for (const { waiting } of this.held.values()) this.count(waiting, 1);
  }
}

/** Tenants take turns, and in those of a tenant its lists and what it sends one by one. */
function inTurn(waiting: readonly Waiting[], most: number): Waiting[] {
  const ordered = takenInTurn(waiting, waiting.length, ({ list }) => list);
  return takenInTurn(ordered, most, ({ tenant }) => tenant);
}

/** Those whose time is not over; the others are told, and nothing was done for them. */
export function inTime(waiting: Waiting[], now: number): Waiting[] {
  if (!waiting.some(({ deadline }) => deadline <= now)) return waiting;
  return waiting.filter((submission) => {
    if (submission.deadline > now) return true;
    submission.reject(new LogError('timeout', 'The command waited too long and was not applied.'));
    return false;
  });
}
