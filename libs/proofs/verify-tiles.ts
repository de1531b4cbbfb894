import type pg from 'pg';
import { nodeHash } from '#audit';
import { query } from '#postgres';
import { TILE_WIDTH, tileRoot } from '#tlog';
import { statement } from './statements.js';
import { Tiles } from './tiles.js';

const checkTiles = statement('check_tiles');
const removeTiles = statement('remove_tiles');

/** Tiles that are compared at once: 16,384 events. */
const PAGE = 64;
/** Before the first tile. */
const START = { level: -1, index: 0 };

/**
 * Compares each stored tile of a partition with the events, or the tiles below, that it is of. Tells what differs, the
 * position of an event that is not what it was when its tile was made, too. Reads only, in pages.
 */
export async function* verifyTiles(pool: pg.Pool, partition: number): AsyncGenerator<string> {
  for (const { level, index } of await new Tiles(pool).missing(partition, PAGE))
    yield `tile ${level}/${index} was taken out: it is made again for who asks for a proof, or by rebuild --tiles`;
  for (let after = START; ; ) {
    const { rows } = await query(pool, checkTiles, [partition, after.level, after.index, PAGE]);
    for (const { level, index, root, hashes, wanted } of rows) {
      const at = firstDifference(hashes, wanted ?? Buffer.alloc(0));
      if (at !== undefined) yield different(partition, level, index * TILE_WIDTH + at);
      const found = await tileRoot(hashes, nodeHash);
      if (!root.equals(found)) yield `the root of tile ${level}/${index} is not that of its hashes`;
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last;
  }
}

function different(partition: number, level: number, number: number): string {
  if (level > 0)
    return `tile ${level}/${Math.floor(number / TILE_WIDTH)} is not what the tiles below it lead to`;
  const position = `${partition}:${number + 1}`;
  return `event ${position} is not what it was when it was hashed: it, or its tile, was changed, moved or removed`;
}

function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined;
  let at = 0;
  while (one.subarray(at * 32, (at + 1) * 32).equals(other.subarray(at * 32, (at + 1) * 32))) at += 1;
  return at;
}

/**
 * Makes all tiles of a partition anew from its events, and from what archives have left. `pool` logs in as a member of the role `archivist`.
 * Proofs that are asked for meanwhile have their tiles made.
 */
export async function rebuildTiles(
  pool: pg.Pool,
  archivist: string,
  { partition, size }: { partition: number; size: number },
  onMade: (tiles: number) => void,
): Promise<number> {
  const client = await pool.connect();
  let isDone = false;
  try {
    await client.query('begin');
    await client.query("select set_config('role', $1, true)", [archivist]);
    await query(client, removeTiles, [partition]);
    await client.query('commit');
    isDone = true;
  } finally {
    client.release(!isDone);
  }
  const tiles = new Tiles(pool);
  let sum = 0;
  for (;;) {
    const made = await tiles.make(partition, size, PAGE);
    sum += made;
    onMade(made);
    if (made < PAGE) return sum;
  }
}
