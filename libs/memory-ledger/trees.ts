import type { TreeHead, Trees } from '#api';
import { leafHash, nodeHash, sha256 } from '#client';
import {
  checkpointText,
  noteText,
  type ReadTiles,
  rootOfRange,
  TILE_WIDTH,
  type TilePlace,
  tileRoot,
} from '#tlog';
import type { Store } from './store.js';

/** The trees of a log in memory. Nobody signs them, and no checkpoint is kept. */
export function trees(store: Store): Trees {
  const name = `session-ledger/${store.source.split('/').at(-1)}`;
  const known = new Map<number, Uint8Array[]>();
  /** Each event is hashed once. */
  const leavesOf = async (partition: number): Promise<Uint8Array[]> => {
    const leaves = known.get(partition) ?? [];
    known.set(partition, leaves);
    const news = store.log(partition).slice(leaves.length);
    const hashes = await Promise.all(news.map(({ json }) => leafHash(new TextEncoder().encode(json))));
    for (const [at, { sequence }] of news.entries()) leaves[sequence - 1] = hashes[at] as Uint8Array;
    return leaves;
  };
  const tileOf = async (leaves: readonly Uint8Array[], { level, index, width }: TilePlace) => {
    const first = index * TILE_WIDTH;
    const hashes = Array.from({ length: width }, async (_, at): Promise<Uint8Array> => {
      if (level === 0) return leaves[first + at] as Uint8Array;
      const below = await tileOf(leaves, { level: level - 1, index: first + at, width: TILE_WIDTH });
      return tileRoot(below, nodeHash);
    });
    const tile = new Uint8Array(width * 32);
    for (const [at, hash] of (await Promise.all(hashes)).entries()) tile.set(hash, at * 32);
    return tile;
  };
  const tilesOf = (leaves: readonly Uint8Array[]): ReadTiles => {
    return (places) => Promise.all(places.map((place) => tileOf(leaves, place)));
  };
  const headNow = async (partition: number): Promise<TreeHead> => {
    store.settle();
    const leaves = (await leavesOf(partition)).slice();
    const size = leaves.length;
    const root = size === 0 ? await sha256() : await rootOfRange([0, size], size, tilesOf(leaves), nodeHash);
    return { partition, size, root };
  };
  return {
    name,
    keys: [],
    nodeHash,
    heads: () => Promise.all(Array.from({ length: store.partitions }, (_, partition) => headNow(partition))),
    headNow,
    note: ({ partition, ...head }) =>
      noteText({ text: checkpointText({ origin: `${name}/${partition}`, ...head }), signatures: [] }),
    tiles: async (partition, _, places) => tilesOf(await leavesOf(partition))(places),
    kept: async () => [],
  };
}
