import type pg from 'pg';
import { nodeHash } from '#audit';
import { bigints, ints, query, smallints } from '#postgres';
import { fullTiles, TILE_BYTES, TILE_WIDTH, type TilePlace, tileRoot } from '#tlog';
import { statement } from './statements.js';

const countTiles = statement('count_tiles');
const findMissing = statement('find_missing_tiles');
const gatherTile = statement('gather_tile');
const insertTile = statement('insert_tile');
const readTiles = statement('read_tiles');

/** The log has no such events, or they cannot be read: a tile would not be what its place says. */
export class UnlikeTile extends Error {
  override readonly name = 'UnlikeTile';
}

/** The tiles of partitions' trees in Postgres. */
export class Tiles {
  constructor(private readonly pool: pg.Pool) {}

  /** Each exactly as wide as was asked; undefined for one that is not made yet. */
  async read(partition: number, places: readonly TilePlace[]): Promise<(Uint8Array | undefined)[]> {
    const { rows } = await query(this.pool, readTiles, [
      partition,
      smallints(places, ({ level }) => level),
      bigints(places, ({ index }) => index),
      ints(places, ({ width }) => width),
    ]);
    return rows.map(({ hashes }, at) =>
      hashes?.length === (places[at]?.width ?? 0) * 32 ? hashes : undefined,
    );
  }

  /**
   * Makes full tiles of a tree of `size` leaves that are not there yet, lower ones first, at most `most`. Returns how many
   * it made: fewer than `most` means that none is missing. Killed in between it leaves whole tiles only.
   */
  async make(partition: number, size: number, most: number): Promise<number> {
    const { rows } = await query(this.pool, countTiles, [partition]);
    let made = 0;
    for (const { level, tiles } of rows) {
      for (let index = tiles; index < fullTiles(level, size); index++) {
        if (made === most) return made;
        await this.makeOne(partition, level, index);
        made += 1;
      }
    }
    return made;
  }

  /** Tiles that somebody took out, the lower ones first, at most `most`. Looks at all: for when one is missed. */
  async missing(partition: number, most: number): Promise<Pick<TilePlace, 'level' | 'index'>[]> {
    return (await query(this.pool, findMissing, [partition, most])).rows;
  }

  /** Makes tiles again that were taken out, at most `most`. */
  async mend(partition: number, most: number): Promise<void> {
    for (const { level, index } of await this.missing(partition, most))
      await this.makeOne(partition, level, index);
  }

  private async makeOne(partition: number, level: number, index: number): Promise<void> {
    const { rows } = await query(this.pool, gatherTile, [partition, level, index]);
    const hashes = rows[0]?.hashes;
    if (hashes?.length !== TILE_BYTES) {
      throw new UnlikeTile(
        `tile ${level}/${index} of partition ${partition} cannot be made: events are missing from ` +
          `${partition}:${index * TILE_WIDTH ** (level + 1) + 1} on. session-ledger verify tells which.`,
      );
    }
    const root = await tileRoot(hashes, nodeHash);
    await query(this.pool, insertTile, [partition, level, index, Buffer.from(root), hashes]);
  }
}
