/** Hashes of a full tile (c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256;
/** Of a full tile. */
export const TILE_BYTES = TILE_WIDTH * 32;

/**
 * Some hashes of one level of the tree, from `index * 256` on: level 0 are leaves, and each hash of a higher level is
 * the root of a full tile of the level below. `width` is 1 to 256: less is a partial tile.
 */
export interface TilePlace {
  level: number;
  index: number;
  width: number;
}

/** As in addresses, `0/x001/234` or `0/005.p/17`. */
export function tilePath({ level, index, width }: TilePlace): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** Undefined for what `tilePath` does not write. */
export function parseTilePath(path: string): TilePlace | undefined {
  const [, level, groups, partial] =
    /^(\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const place = { level: Number(level), index: Number(groups.replace(/[x/]/g, '')), width };
  return width >= 1 && Number.isSafeInteger(place.index) && tilePath(place) === path ? place : undefined;
}

/** How many full tiles a level has in a tree of this size. */
export function fullTiles(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** (level + 1));
}

/** How wide a tile is in a tree of this size: 0 when it has none there. */
export function widthAt({ level, index }: Pick<TilePlace, 'level' | 'index'>, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return Math.max(0, Math.min(TILE_WIDTH, hashes));
}
