import { createHash } from 'node:crypto';
import type { DroppedHandle } from '#api';
import { type Bound, byteas, type PacketAnswer, smallints, texts, timestamps, uuids } from '#postgres';
import {
  type Draft,
  type Handle,
  type HandleChange,
  type HandleHolder,
  handlesIn,
  type Instant,
  MOST_SCOPE_HANDLES,
  renameHandles,
  type ScopeKey,
  type SessionId,
} from '#session';
import type { Statements } from '../generated/statements.js';
import { newSalt } from '../ids.js';
import { statement } from '../statements.js';

const eraseHandles = statement('erase_handles');
const saveHandles = statement('save_handles');
const saveSalts = statement('save_handle_salts');

type AnswerTo<Name extends keyof Statements> = PacketAnswer<Statements[Name]['row']>;
/** Of a batch's queries about handles, in their order. */
type AnswersOfHandles = readonly [
  reserved: AnswerTo<'reserve_handles'> | undefined,
  held: AnswerTo<'load_handles'> | undefined,
  salts: AnswerTo<'load_handle_salts'> | undefined,
  oldest: AnswerTo<'load_oldest_handles'> | undefined,
];

/** A scope as the tables of handles know it. */
interface ScopeOfHandles {
  partition: number;
  scopeId: string;
  scopeKey: ScopeKey;
}

/** Which scope has a handle, and for which session. */
interface Holder extends ScopeOfHandles {
  sessionId: SessionId | undefined;
  /** The handle binds to a scope that had no current session when the batch was loaded. */
  idle: boolean;
  /** The handle's session had been reported invalid by then. */
  invalid: boolean;
}

/** How a holder is now, after what commands of the batch have done to its scope and its session. */
export interface HoldersNow {
  isIdle: (holder: { scopeKey: ScopeKey; idle: boolean }) => boolean;
  isInvalid: (sessionId: SessionId) => boolean;
}

/** What a batch made of a handle; without holder nobody has it any more. */
interface HandleRow extends Handle {
  /** How events call it. */
  digest: string;
  boundAt: Instant;
  holder: Holder | undefined;
}

/** Of a scope that may get more handles than it keeps: the oldest, oldest first, and how many it has in all. */
interface Kept {
  oldest: (DroppedHandle & Handle)[];
  size: number;
}

/**
 * The handles that a batch names: who has them, as its commands leave them one after the other, and what has to
 * be written. Those that it reserved and did not bind are given back. Tables know a handle by its keyed hash; the
 * decider and the events by a digest of that and of its scope's salt, which can be erased.
 */
export class BatchHandles {
  private readonly holders = new Map<string, Holder>();
  private readonly reserved = new Set<string>();
  private readonly changed = new Map<string, HandleRow>();
  private readonly erased = new Map<string, Pick<ScopeOfHandles, 'partition' | 'scopeId'>>();
  private readonly kept = new Map<string, Kept>();
  /** By scope id: those that are stored, and new ones. */
  private readonly salts = new Map<string, Buffer>();
  private readonly stored = new Set<string>();
  private readonly newSalts = new Map<string, { partition: number; scopeId: string; salt: Buffer }>();
  /** Keyed hashes, by what events call them. */
  private readonly hashes = new Map<string, string>();

  /** From the answers to those queries. */
  constructor([reserved, held, salts, oldest]: AnswersOfHandles | [] = []) {
    for (const { hash } of reserved?.rows ?? []) this.reserved.add(hash);
    if (held) this.learn(held);
    for (const { scope_id, salt } of salts?.rows ?? []) {
      this.salts.set(scope_id, salt);
      this.stored.add(scope_id);
    }
    for (const { scope_id, size, hash, kind, bound_at } of oldest?.rows ?? []) {
      const kept: Kept = this.kept.get(scope_id) ?? { oldest: [], size };
      this.kept.set(scope_id, kept);
      if (hash === null || kind === null) continue; // it has none too many
      kept.oldest.push({ hash, kind, ...(bound_at && { boundAt: bound_at }) });
      kept.size += 1;
    }
  }

  /** Who has handles, from an answer that tells also how events call them, where that is asked for. */
  learn({ rows }: PacketAnswer<Statements['load_handles']['row'] & { digest?: string }>): void {
    for (const {
      hash,
      digest,
      scope_id: scopeId,
      scope_key: scopeKey,
      partition,
      session_id,
      idle,
      invalid,
    } of rows) {
      const sessionId = session_id ?? undefined;
      this.holders.set(hash, { scopeId, scopeKey, partition, sessionId, idle, invalid });
      if (digest) this.hashes.set(digest, hash);
    }
  }

  /** Partitions with handles that somebody may take away from a scope without session: their heads have to be locked. */
  get idlePartitions(): number[] {
    return [...this.holders.values()].flatMap(({ idle, partition }) => (idle ? [partition] : []));
  }

  /** Whether a command names a handle of a scope without session in one of some partitions. */
  isOfIdle(command: Draft, partitions: readonly number[]): boolean {
    return handlesIn(command).some(({ hash }) => {
      const holder = this.holders.get(hash);
      return holder?.idle === true && partitions.includes(holder.partition);
    });
  }

  /** The command with its handles as events of its scope call them. */
  called<C extends Draft>(command: C, scopeId: string): C {
    if (handlesIn(command).length === 0) return command;
    const salt = this.salts.get(scopeId) ?? newSalt();
    this.salts.set(scopeId, salt);
    return renameHandles(command, (handle) => {
      const digest = digestOf(handle.hash, salt);
      this.hashes.set(digest, handle.hash);
      return { ...handle, hash: digest };
    });
  }

  /** Who has the handles of a command, as events call them, and `more` ones; undefined when there are none. */
  known(
    command: Draft,
    scopeId: string,
    { isIdle, isInvalid }: HoldersNow,
    more: readonly Handle[] = none,
  ): ReadonlyMap<string, HandleHolder> | undefined {
    const named = more.length > 0 ? [...handlesIn(command), ...more] : handlesIn(command);
    if (named.length === 0) return undefined;
    const known = new Map<string, HandleHolder>();
    for (const { hash: digest } of named) {
      const holder = this.holders.get(this.hashes.get(digest) ?? '');
      if (!holder) continue;
      const { sessionId } = holder;
      if (holder.scopeId === scopeId) {
        const invalid = sessionId !== undefined && (holder.invalid || isInvalid(sessionId));
        known.set(digest, {
          scope: 'this',
          ...(sessionId && { sessionId }),
          ...(invalid && { invalid }),
        });
      } else if (sessionId || !isIdle(holder)) known.set(digest, { scope: 'another' });
      else known.set(digest, { scope: 'another', idle: true });
    }
    return known;
  }

  /**
   * Keeps what a command did to a handle, for the commands after it and to be written. Says which other one the scope
   * lost for it.
   */
  change(
    { kind, hash: digest, to }: HandleChange,
    scope: ScopeOfHandles,
    at: Instant,
  ): DroppedHandle | undefined {
    const hash = this.hashes.get(digest);
    if (hash === undefined) throw new Error('a command changes a handle that nobody has named');
    const before = this.holders.get(hash);
    if (before && !before.sessionId) this.leave(before.scopeId, hash);
    if (to === 'nothing') {
      this.remove(hash, kind);
      return undefined;
    }
    const sessionId = typeof to === 'string' ? undefined : to.sessionId;
    const holder = { ...scope, sessionId, idle: false, invalid: false };
    this.holders.set(hash, holder);
    this.changed.delete(hash); // the last binding is the newest, also in the order of writing
    this.changed.set(hash, { kind, hash, digest, boundAt: at, holder });
    this.keepSalt(scope);
    return sessionId ? undefined : this.enter(scope.scopeId, { kind, hash, boundAt: at });
  }

  /** Whether a command of the batch has given the scope its first handle. */
  hasFirst(scopeId: string): boolean {
    return this.newSalts.has(scopeId);
  }

  /** Frees all handles of a scope, and has its salt forgotten: the next one has nothing to do with it. */
  erase({ partition, scopeId }: Pick<ScopeOfHandles, 'partition' | 'scopeId'>): void {
    this.erased.set(scopeId, { partition, scopeId });
    this.salts.delete(scopeId);
    this.stored.delete(scopeId);
    this.newSalts.delete(scopeId);
    if (this.kept.has(scopeId)) this.kept.set(scopeId, { oldest: [], size: 0 });
    for (const [hash, holder] of this.holders) if (holder.scopeId === scopeId) this.remove(hash, '');
  }

  /** Statements that write what the batch made of them. */
  saving(): Bound[] {
    const rows = [...this.changed.values()];
    const bound = rows.flatMap(({ holder, ...row }) => (holder ? [{ ...row, ...holder }] : []));
    const kept = new Set(bound.map((row) => row.hash));
    const gone = [...this.reserved, ...this.changed.keys()].filter((hash) => !kept.has(hash));
    const saving: Bound[] = [];
    if (this.erased.size > 0) {
      const scopes = [...this.erased.values()];
      const values = [smallints(scopes, (row) => row.partition), uuids(scopes, (row) => row.scopeId)];
      saving.push({ ...eraseHandles, values: [...values, texts([...kept])] });
    }
    if (gone.length > 0 || bound.length > 0) {
      const columns = [
        texts(bound, (row) => row.hash),
        texts(bound, (row) => row.kind),
        smallints(bound, (row) => row.partition),
        uuids(bound, (row) => row.scopeId),
        uuids(bound, (row) => row.sessionId),
        texts(bound, (row) => (row.sessionId ? row.digest : undefined)),
        timestamps(bound, (row) => row.boundAt),
      ];
      saving.push({ ...saveHandles, values: [texts(gone), ...columns] });
    }
    if (this.newSalts.size > 0) {
      const salts = [...this.newSalts.values()];
      const values = [smallints(salts, (row) => row.partition), uuids(salts, (row) => row.scopeId)];
      saving.push({ ...saveSalts, values: [...values, byteas(salts, (row) => row.salt)] });
    }
    return saving;
  }

  private remove(hash: string, kind: string): void {
    this.holders.delete(hash);
    this.changed.set(hash, { kind, hash, digest: '', boundAt: '', holder: undefined });
  }

  /** A handle that binds to a scope is not, or not any more, among those that it has. */
  private leave(scopeId: string, hash: string): void {
    const kept = this.kept.get(scopeId);
    if (!kept) return;
    kept.oldest = kept.oldest.filter((one) => one.hash !== hash);
    kept.size -= 1;
  }

  /** The newest handle of a scope; when there are too many now, the oldest goes. */
  private enter(scopeId: string, newest: Kept['oldest'][number]): DroppedHandle | undefined {
    const kept = this.kept.get(scopeId);
    if (!kept) return undefined;
    kept.oldest.push(newest);
    kept.size += 1;
    const dropped = kept.size > MOST_SCOPE_HANDLES ? kept.oldest.shift() : undefined;
    if (!dropped) return undefined;
    kept.size -= 1;
    const { hash, ...told } = dropped;
    this.remove(hash, told.kind);
    return told;
  }

  /** Of a scope that had none until this command. */
  private keepSalt({ partition, scopeId }: ScopeOfHandles): void {
    const salt = this.salts.get(scopeId);
    if (salt && !this.stored.has(scopeId)) this.newSalts.set(scopeId, { partition, scopeId, salt });
  }
}

/** What events call a handle. Without salt, as until there were salts: by its keyed hash. */
export function digestOf(hash: string, salt: Buffer): string {
  return salt.length === 0 ? hash : createHash('sha256').update(salt).update(hash).digest('base64url');
}

const none: readonly Handle[] = [];
