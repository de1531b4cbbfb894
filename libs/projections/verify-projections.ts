import type pg from 'pg';
import { replayFrom } from '#archive';
import { type FeedEvent, scopeIdOf } from '#log';
import { bigints, booleans, type Given, query, type RowOf, type Statement, texts, uuids } from '#postgres';
import {
  foldSessions,
  foldTransitions,
  foldUsage,
  type PlacedTold,
  type ScopeKey,
  transitionKey,
} from '#session';
import { hexOf, isSession, isSum, isTransition } from './row-of-event.js';
import { statement } from './statements.js';
import { readTold } from './stored-event.js';

const readLiveGeneration = statement('read_live_generation');
const findSessions = statement('find_projected_sessions');
const findTransitions = statement('find_projected_transitions');
const holdRows = statement('hold_projected_rows');
const fetchRows = statement('fetch_projected_rows');
const readSessions = statement('read_named_sessions');
const readTransitions = statement('read_named_transitions');
const readUsage = statement('read_named_usage');
const findUsage = statement('find_projected_usage');
const findWronglyListed = statement('find_wrongly_listed');

/** Events that are compared at once; rows, too. */
const PAGE = 1_000;

export interface VerifyOptions {
  /** One connection of it is taken. Its statements may have to last for minutes: one sorts all rows of a partition. */
  pool: pg.Pool;
  /** Where the archives are; needed once anything was archived. */
  archives?: string | undefined;
  onProgress?(progress: VerifyProgress): void;
  /** Hears every difference; there may be as many as there are rows. */
  onDifference(difference: Difference): void;
  signal?: AbortSignal;
}

export interface VerifyProgress {
  /** Events that were compared, of those that were projected when it began. */
  events: number;
  total: number;
  rows: number;
}

/** A row that is not what the log folds to. */
export interface Difference {
  model: 'sessions' | 'transitions' | 'usage' | 'current';
  /** `missing`: no row for what the log says. `stale`: an event that it does not show. `wrong`: not what its event says. */
  kind: 'missing' | 'stale' | 'wrong';
  partition: number;
  /** Of the event that tells; for `wrong` of the one that the row names; 0: it names none. */
  sequence: number;
  /** Of a wrong sum: the root of its chain, or its scope's id. */
  sessionId: string;
}

/**
 * Folds the log again, archives first, and compares it with the live read models, row by row, each partition as it
 * stood at one moment. Reads only, each event once and in pages, while everything goes on. A row is right when its event
 * says just this, and no other event says more. Throws UnprojectableEvent for an event that this version does not
 * understand, ArchiveError when an archive is missing or another one than was recorded, or nobody said where they are,
 * and an Error when the models were rebuilt meanwhile.
 */
export async function verifyProjections(options: VerifyOptions): Promise<{ events: number; rows: number }> {
  const client = await options.pool.connect();
  let isWhole = false;
  try {
    const { rows: parts } = await query(client, readLiveGeneration);
    const total = parts.reduce((sum, { sequence }) => sum + sequence, 0);
    const totals = { events: 0, rows: 0 };
    for (const { generation, partition } of parts) {
      for await (const { events, rows } of new Part(client, options, { generation, partition }).compared()) {
        totals.events += events;
        totals.rows += rows;
        options.onProgress?.({ ...totals, total: Math.max(total, totals.events) });
      }
    }
    const { rows: now } = await query(client, readLiveGeneration);
    if (now[0]?.generation !== parts[0]?.generation) throw new Error(REBUILT);
    isWhole = true;
    return totals;
  } finally {
    client.release(!isWhole); // with it goes what is held
  }
}

const REBUILT = 'the read models were rebuilt: verify again';

class Part {
  constructor(
    private readonly client: pg.PoolClient,
    private readonly options: VerifyOptions,
    private readonly at: { generation: number; partition: number },
  ) {}

  /** Compares all, and says after each page how many events and rows it was. */
  async *compared(): AsyncGenerator<{ events: number; rows: number }> {
    const until = await this.hold();
    const named = new NamedRows(() => this.read(fetchRows));
    for await (const told of this.pagesUpTo(until)) {
      await this.checkSessions(told);
      await this.checkTransitions(told);
      await this.checkUsage(told);
      yield { events: told.length, rows: await this.checkNamed(named, told) };
    }
    // What names an event that there is not, or not yet.
    yield { events: 0, rows: await this.checkNamed(named, []) };
    await this.client.query('close projected_rows');
    await this.checkCurrent();
  }

  /** Holds the keys of all rows, as of one moment; returns up to where they were projected then. */
  private async hold(): Promise<number> {
    const { generation, partition } = this.at;
    await this.client.query('begin isolation level repeatable read read only');
    const { rows } = await query(this.client, readLiveGeneration);
    const position = rows.find((row) => row.generation === generation && row.partition === partition);
    if (!position) throw new Error(REBUILT);
    await this.read(holdRows, [partition, generation]);
    await this.client.query('commit');
    return position.sequence;
  }

  private async *pagesUpTo(until: number): AsyncGenerator<PlacedTold[]> {
    if (until === 0) return;
    const { partition } = this.at;
    let page: PlacedTold[] = [];
    for await (const event of replayFrom(this.options.archives, this.client, partition)) {
      page.push(toldBy(event));
      const isLast = event.sequence === until;
      if (page.length < PAGE && !isLast) continue;
      yield page;
      if (isLast) return;
      page = [];
    }
  }

  /** From the log to the rows: what it says has a row, which comes from no other event than the one that counts. */
  private async checkSessions(told: readonly PlacedTold[]): Promise<void> {
    const folded = foldSessions(told);
    const { partition, generation } = this.at;
    const rows = await this.read(findSessions, [partition, generation, uuids([...folded.keys()])]);
    const found = new Map(rows.map((row) => [row.session_id, row]));
    for (const { sessionId: session_id, sequence, started } of folded.values()) {
      const row = found.get(session_id);
      if (!row) this.differ('sessions', 'missing', { session_id, sequence });
      else if (row.sequence < sequence) this.differ('sessions', 'stale', { session_id, sequence });
      else if (started !== undefined && row.started !== started)
        this.differ('sessions', 'wrong', { session_id, sequence: started });
    }
  }

  private async checkTransitions(told: readonly PlacedTold[]): Promise<void> {
    const folded = foldTransitions(told);
    const keys = [...folded.values()];
    const { partition, generation } = this.at;
    const values = [
      partition,
      generation,
      uuids(keys, (one) => one.sessionId),
      booleans(keys, (one) => one.came),
    ] as const;
    const rows = await this.read(findTransitions, values);
    const found = new Map(
      rows.map((row) => [transitionKey({ sessionId: row.session_id, came: row.came }), row]),
    );
    for (const [key, { sessionId: session_id, sequence }] of folded) {
      const row = found.get(key);
      if (!row) this.differ('transitions', 'missing', { session_id, sequence });
      else if (row.sequence > sequence) this.differ('transitions', 'stale', { session_id, sequence });
    }
  }

  /** That each is right is seen from the rows: all that can be wrong here is that one is not there. */
  private async checkUsage(told: readonly PlacedTold[]): Promise<void> {
    const folded = foldUsage(told);
    if (folded.length === 0) return;
    const { partition, generation } = this.at;
    const keys = usageKeys(folded.map(({ ofId: id, currency, sequence }) => ({ id, currency, sequence })));
    const rows = await this.read(findUsage, [partition, generation, ...keys]);
    const keyOf = (id: string, currency: string, sequence: number) => `${hexOf(id)} ${currency} ${sequence}`;
    const found = new Set(rows.map((row) => keyOf(row.of_id, row.currency, row.sequence)));
    for (const { ofId, currency, sequence, sessionId: session_id } of folded) {
      if (!found.has(keyOf(ofId, currency, sequence)))
        this.differ('usage', 'missing', { session_id, sequence });
    }
  }

  /**
   * From the rows to the log: those that name one of these events, or one before, are just what it says. One that has
   * changed since comes from a later event than all that are looked at.
   */
  private async checkNamed(named: NamedRows, told: readonly PlacedTold[]): Promise<number> {
    const { partition, generation } = this.at;
    const bySequence = new Map(told.map((one) => [one.sequence, one]));
    let count = 0;
    for await (const rows of named.upTo(told.at(-1)?.sequence)) {
      const sums = rows.filter(({ currency }) => currency !== null);
      const sessions = rows.filter(({ came, currency }) => came === null && currency === null);
      const transitions = rows.filter(({ came }) => came !== null);
      const keys = (some: readonly NamedRow[]) =>
        [uuids(some, ({ id }) => id), bigints(some, (row) => row.sequence)] as const;
      const ofSessions = await this.read(readSessions, [partition, generation, ...keys(sessions)]);
      for (const row of ofSessions) {
        if (!isSession(row, bySequence.get(row.sequence))) this.differ('sessions', 'wrong', row);
      }
      const came = booleans(transitions, (row) => row.came ?? undefined);
      const ofTransitions = await this.read(readTransitions, [
        partition,
        generation,
        ...keys(transitions),
        came,
      ]);
      for (const row of ofTransitions) {
        if (!isTransition(row, bySequence.get(row.sequence))) this.differ('transitions', 'wrong', row);
      }
      const ofUsage = await this.read(readUsage, [partition, generation, ...usageKeys(sums)]);
      for (const row of ofUsage) {
        if (isSum(row, bySequence.get(row.sequence))) continue;
        this.differ('usage', 'wrong', { session_id: row.of_id, sequence: row.sequence });
      }
      count += rows.length;
    }
    return count;
  }

  /** The list of current sessions has no events of its own: it is right when it is what the sessions' rows say. */
  private async checkCurrent(): Promise<void> {
    const { partition, generation } = this.at;
    for (const { missing, ...row } of await this.read(findWronglyListed, [partition, generation]))
      this.differ('current', missing ? 'missing' : 'wrong', row);
  }

  private differ(
    model: Difference['model'],
    kind: Difference['kind'],
    { session_id, sequence }: { session_id: string; sequence: number },
  ): void {
    const { partition } = this.at;
    this.options.onDifference({ model, kind, partition, sequence, sessionId: session_id });
  }

  private async read<Row, Values>(
    statement: Statement<Row, Values>,
    ...values: Given<Values>
  ): Promise<Row[]> {
    this.options.signal?.throwIfAborted();
    return (await query(this.client, statement, ...values)).rows;
  }
}

/** A row's key, and the event that it says it comes from. Only a transition has `came`, only a sum a currency. */
type NamedRow = RowOf<typeof fetchRows>;

/** The keys of sums, as columns; without cost the currency is empty. */
function usageKeys(rows: readonly { id: string; currency: string | null; sequence: number }[]) {
  return [
    uuids(rows, ({ id }) => id),
    texts(rows, ({ currency }) => currency ?? ''),
    bigints(rows, ({ sequence }) => sequence),
  ] as const;
}

/** The rows that are held, in the order of the events that they name. */
class NamedRows {
  private ahead: NamedRow[] = [];
  private isOver = false;

  constructor(private readonly read: () => Promise<NamedRow[]>) {}

  /** Those that were not taken yet, up to a sequence or all, some at a time. */
  async *upTo(sequence = Number.POSITIVE_INFINITY): AsyncGenerator<NamedRow[]> {
    for (;;) {
      if (this.ahead.length === 0 && !this.isOver) {
        this.ahead = await this.read();
        this.isOver = this.ahead.length === 0;
      }
      const beyond = this.ahead.findIndex((row) => row.sequence > sequence);
      const taken = this.ahead.splice(0, beyond < 0 ? this.ahead.length : beyond);
      if (taken.length === 0) return;
      yield taken;
    }
  }
}

function toldBy({ partition, sequence, scopeKey, bytes }: FeedEvent): PlacedTold {
  return readTold(partition, { sequence, scopeId: scopeIdOf(scopeKey as ScopeKey), text: bytes.toString() });
}
