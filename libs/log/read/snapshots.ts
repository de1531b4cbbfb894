import type pg from 'pg';
import { query } from '#postgres';
import type { Position } from '#session';
import { LogError, readError } from '../errors.js';
import { statement } from '../statements.js';
import { readHeads } from './feed-rows.js';

const readSnapshot = statement('read_snapshot');

/** A current session of the snapshot. */
export interface SnapshotRow {
  json: string;
  attributes?: string | 'erased';
}

export interface SnapshotLimits {
  /** Most bytes that are read ahead for a reader. */
  ahead: number;
  /** The same for all readers together. */
  aheadOfAll: number;
  /** Most readers at once; the next one is answered `overloaded`. */
  readers: number;
}

const LIMITS: SnapshotLimits = { ahead: 16 << 20, aheadOfAll: 64 << 20, readers: 1_000 };
/** Most rows of one query: what they cost at a time, others wait for. */
const PAGE = 200;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Reads all current sessions: one partition after the other, each in a transaction of its own and as of its own
 * position. A partition is read into memory as fast as Postgres gives it, and its connection given back, before its
 * reader gets the first of it: however slow a reader is, it holds no connection. Only what is more than may wait in
 * memory is read as the reader takes it; then the connection waits with it, until Postgres ends the transaction.
 */
export class Snapshots {
  private readers = 0;
  /** Bytes that wait for readers. */
  private waiting = 0;

  constructor(
    private readonly pool: pg.Pool,
    private readonly limits = LIMITS,
    /** Waited for before each page is read. */
    private readonly turn = async () => {},
  ) {}

  /** Rejects with LogError `unavailable` or `overloaded`. */
  async *take(): AsyncGenerator<{ position: Position } | SnapshotRow> {
    const { readers, aheadOfAll } = this.limits;
    if (this.readers >= readers || this.waiting >= aheadOfAll)
      throw new LogError('overloaded', 'Too many snapshots are being read already.');
    this.readers += 1;
    try {
      for (const { partition } of await readHeads(this.pool)) yield* this.part(partition);
    } catch (error) {
      throw readError(error);
    } finally {
      this.readers -= 1; // also when the reader goes away: then no line above is reached
    }
  }

  private async *part(partition: number): AsyncGenerator<{ position: Position } | SnapshotRow> {
    const reading = await PartReading.begin(this.pool, partition);
    const ahead: Page[] = [];
    let bytes = 0;
    const add = (page: Page) => {
      ahead.push(page);
      bytes += page.bytes;
      this.waiting += page.bytes;
    };
    try {
      do {
        await this.turn();
        add(await reading.next());
      } while (reading.isOpen && bytes < this.limits.ahead && this.waiting < this.limits.aheadOfAll);
      yield { position: reading.position };
      for (let page = ahead.shift(); page; page = ahead.shift()) {
        yield* page.rows;
        bytes -= page.bytes;
        this.waiting -= page.bytes;
        if (reading.isOpen) add(await reading.next());
      }
    } finally {
      this.waiting -= bytes;
      reading.giveUp();
    }
  }
}

interface Page {
  rows: SnapshotRow[];
  /** About: characters. */
  bytes: number;
}

/** A partition's current sessions in pages, all of one moment. */
class PartReading {
  position: Position;
  private after = FIRST;

  private constructor(
    private client: pg.PoolClient | undefined,
    partition: number,
  ) {
    this.position = { partition, sequence: 0 };
  }

  static async begin(pool: pg.Pool, partition: number): Promise<PartReading> {
    const client = await pool.connect();
    const reading = new PartReading(client, partition);
    try {
      await client.query('begin isolation level repeatable read read only');
      const head = (await readHeads(client)).find((one) => one.partition === partition);
      reading.position = { partition, sequence: head?.sequence ?? 0 };
      return reading;
    } catch (error) {
      reading.giveUp();
      throw error;
    }
  }

  /** Whether there may be more. */
  get isOpen(): boolean {
    return this.client !== undefined;
  }

  /** The next page. With the last one the connection is given back. */
  async next(): Promise<Page> {
    const { client } = this;
    if (!client) return { rows: [], bytes: 0 };
    const { rows } = await query(client, readSnapshot, [this.position.partition, this.after, PAGE]);
    this.after = rows.at(-1)?.scope_id ?? this.after;
    if (rows.length < PAGE) {
      await client.query('commit');
      this.client = undefined;
      client.release();
    }
    return pageOf(rows);
  }

  /** Ends the connection if there still is one: the transaction is not over. */
  giveUp(): void {
    this.client?.release(true);
    this.client = undefined;
  }
}

function pageOf(stored: { latest: string; detailed: boolean; attributes: string | null }[]): Page {
  const page: Page = { rows: [], bytes: 0 };
  for (const { latest: json, detailed, attributes } of stored) {
    page.rows.push({ json, ...(detailed && { attributes: attributes ?? 'erased' }) });
    page.bytes += json.length + (attributes?.length ?? 0);
  }
  return page;
}
