import type pg from 'pg';
import { type KeptCheckpoint, ProblemError, type TreeHead, type Trees } from '#api';
import { Frontier, nodeHash } from '#audit';
import { ask, LogError, readError, refuseRead } from '#log';
import type { TilePlace } from '#tlog';
import type { Checkpoints } from './checkpoints.js';
import { statement } from './statements.js';
import { Tiles, UnlikeTile } from './tiles.js';

const readTreeHeads = statement('read_tree_heads');

/** How long what was read of the heads is good. */
const HOLDS_MS = 500;
/** Most tiles that are made for one request: 65,536 events, a few hundred milliseconds. */
const MOST_MADE = 256;

interface Heads {
  readAt: number;
  heads: readonly TreeHead[];
}

/** The trees of the partitions as they stand in Postgres. Rejects with LogError `unavailable` or `overloaded`. */
export class PartitionTrees implements Trees {
  readonly nodeHash = nodeHash;
  private readonly tilesOf: Tiles;
  private read: Heads | undefined;
  private reading: Promise<Heads> | undefined;

  constructor(
    private readonly pool: pg.Pool,
    private readonly checkpoints: Checkpoints,
  ) {
    this.tilesOf = new Tiles(pool);
  }

  get name(): string {
    return this.checkpoints.name;
  }

  get keys(): readonly string[] {
    return this.checkpoints.keys;
  }

  note({ partition, size, root }: TreeHead): string {
    return this.checkpoints.note(partition, size, root);
  }

  async heads(): Promise<readonly TreeHead[]> {
    if (this.read && performance.now() - this.read.readAt < HOLDS_MS) return this.read.heads;
    return (await this.shared()).heads;
  }

  async headNow(partition: number): Promise<TreeHead> {
    // What is under way may have begun before what is asked about was committed.
    await this.reading?.catch(() => {});
    return (await this.shared()).heads[partition] as TreeHead;
  }

  async tiles(partition: number, size: number, places: readonly TilePlace[]): Promise<Uint8Array[]> {
    try {
      const isMade = (found: readonly (Uint8Array | undefined)[]): found is Uint8Array[] =>
        !found.includes(undefined);
      let tiles = await this.tilesOf.read(partition, places);
      if (isMade(tiles)) return tiles;
      const made = await this.tilesOf.make(partition, size, MOST_MADE);
      tiles = await this.tilesOf.read(partition, places);
      if (isMade(tiles)) return tiles;
      if (made === MOST_MADE) throw new LogError('overloaded', 'The tiles of the tree are still being made.');
      await this.tilesOf.mend(partition, MOST_MADE);
      tiles = await this.tilesOf.read(partition, places);
      if (isMade(tiles)) return tiles;
      throw new UnlikeTile(
        `the tree of partition ${partition} is not whole: session-ledger verify tells where`,
      );
    } catch (error) {
      // What is wrong does not go away by asking again, and is no outage.
      if (error instanceof UnlikeTile) throw new ProblemError('internal', error.message);
      throw readError(error);
    }
  }

  async kept(partition: number, before: number, limit: number): Promise<KeptCheckpoint[]> {
    return this.checkpoints.kept(partition, before, limit).catch(refuseRead);
  }

  /** However many ask meanwhile, there is one query. */
  private shared(): Promise<Heads> {
    this.reading ??= this.look().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async look(): Promise<Heads> {
    const readAt = performance.now();
    const { rows } = await ask(this.pool, readTreeHeads);
    const heads = rows.map(({ partition, sequence: size, frontier }) => {
      return { partition, size, root: Frontier.restore(size, frontier).root() };
    });
    this.read = { readAt, heads };
    return this.read;
  }
}
