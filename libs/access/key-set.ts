import type pg from 'pg';
import { type Caller, callerOf, type KeyLimits } from '#api';
import { query, rowOf } from '#postgres';
import { Loop } from '#waiting';
import type { Asking } from './asking.js';
import { type KeyRow, permissionsOf } from './keys.js';
import { statement } from './statements.js';

const readKeys = statement('read_keys');
const readSubjects = statement('read_revoked_subjects');
const readVersion = statement('read_version');
const noteUse = statement('note_use');

/** So long what is known goes on to count while Postgres is away, in milliseconds. */
const KNOWN_MS = 60_000;
const LOOK_MS = 10_000;

/** One key, as requests are asked by it. */
export class Key implements Asking {
  readonly caller: Caller;
  readonly name: string;
  readonly limits: KeyLimits | undefined;
  private readonly expiresAt: number;
  /** Taken from the set: it was revoked, or allows something else now. */
  isGone = false;
  /** The day of its last use that was noted, or is about to be. */
  usedOn: string | null;

  constructor({ id, tenant, principal, environments, ...row }: KeyRow) {
    this.caller = callerOf({
      ...{ tenant: tenant ?? '', principal, permissions: permissionsOf(row), ledgerWide: row.ledger_wide },
      ...(environments && { environments: new Set(environments) }),
    });
    this.name = id;
    this.limits = { commands: row.commands ?? undefined, reads: row.reads ?? undefined };
    this.expiresAt = row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
    this.usedOn = row.used_on;
  }

  isOver(now: number): boolean {
    return this.isGone || now >= this.expiresAt;
  }
}

/**
 * All keys that count, in memory: a request asks nothing of Postgres. What changes there is noticed by a version, which
 * the tail looks at with the heads.
 */
export class KeySet {
  private keys = new Map<string, Key>();
  /** What each key was made of, by hash: one that is as it was stays the same object. */
  private rows = new Map<string, string>();
  private subjects = new Map<string, number>();
  private version: number | undefined;
  private lookedAt = 0;
  private reading: Promise<void> | undefined;
  private day = { number: 0, text: '' };
  private readonly used = new Set<Key>();
  private readonly looks: Loop;
  /** The database's time, less this process's own clock, which nobody sets. */
  private ahead = 0;

  constructor(
    private readonly pool: Pick<pg.Pool, 'query'>,
    private readonly options: { onChange?: () => void; onFault(error: unknown): void },
  ) {
    const { onFault } = options;
    this.looks = new Loop({ everyMs: LOOK_MS, round: () => this.round(), onFault });
  }

  /** Reads everything. Throws when Postgres cannot be used. */
  async start(): Promise<void> {
    await this.read();
    this.looks.start(LOOK_MS);
  }

  async close(): Promise<void> {
    await this.looks.close();
  }

  /** The database's time, in milliseconds since 1970. */
  get now(): number {
    return performance.now() + this.ahead;
  }

  /** Whether what is known here may still be true: Postgres was asked within a minute. */
  get isFresh(): boolean {
    return performance.now() - this.lookedAt < KNOWN_MS;
  }

  /** Whether it may ask for anything at all. */
  get hasAdmin(): boolean {
    return [...this.keys.values()].some(({ caller }) => caller.permissions.has('admin'));
  }

  byHash(hash: string): Key | undefined {
    const key = this.keys.get(hash);
    if (key && key.usedOn !== this.today()) this.used.add(key);
    return key;
  }

  /** Whether a token that was issued then, by seconds, has been revoked since. */
  isRevoked(issuer: string, subject: string, issuedAt: number): boolean {
    const before = this.subjects.get(`${issuer} ${subject}`);
    return before !== undefined && issuedAt * 1_000 < before;
  }

  /** Postgres has told the version that it is at now. */
  looked(version: number): void {
    this.lookedAt = performance.now();
    if (version !== this.version) this.refresh().catch(this.options.onFault); // the next look finds it again
  }

  /** Reads everything anew, what has changed meanwhile included. */
  async refresh(): Promise<void> {
    await this.reading;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
  }

  private async read(): Promise<void> {
    // The version first: what changes afterwards is then read once more.
    const { version, now } = rowOf(await query(this.pool, readVersion));
    const { rows } = await query(this.pool, readKeys);
    const { rows: subjects } = await query(this.pool, readSubjects);
    this.setTime(now);
    this.adopt(rows);
    this.subjects = new Map(subjects.map((one) => [`${one.issuer} ${one.subject}`, one.before.getTime()]));
    this.version = version;
    this.lookedAt = performance.now();
    this.options.onChange?.();
  }

  private adopt(rows: readonly KeyRow[]): void {
    const [keys, texts] = [new Map<string, Key>(), new Map<string, string>()];
    for (const row of rows) {
      const text = JSON.stringify({ ...row, used_on: undefined });
      const known = this.rows.get(row.hash) === text ? this.keys.get(row.hash) : undefined;
      keys.set(row.hash, known ?? new Key(row));
      texts.set(row.hash, text);
    }
    for (const [hash, key] of this.keys) if (keys.get(hash) !== key) key.isGone = true;
    this.keys = keys;
    this.rows = texts;
  }

  private today(): string {
    const day = Math.floor(this.now / 86_400_000);
    if (day !== this.day.number) this.day = { number: day, text: dayOf(day) };
    return this.day.text;
  }

  /** Our own clock stands still while the machine sleeps, and none runs quite as fast as another. */
  private setTime(now: Date): void {
    this.ahead = now.getTime() - performance.now();
  }

  private async round(): Promise<void> {
    this.setTime(rowOf(await query(this.pool, readVersion)).now);
    await this.noteUses();
  }

  private async noteUses(): Promise<void> {
    if (this.used.size === 0) return;
    const keys = [...this.used];
    this.used.clear();
    const today = this.today();
    await query(this.pool, noteUse, [keys.map(({ name }) => name)]).catch((error) => {
      // A standby notes nothing: the replicas at its primary do.
      if (error.code !== '25006') throw error;
    });
    for (const key of keys) key.usedOn = today;
  }
}

function dayOf(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
