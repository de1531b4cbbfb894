import { Pace } from '#projections';
import { TILE_WIDTH } from '#tlog';
import { Loop, rest } from '#waiting';
import type { Checkpoints } from './checkpoints.js';
import type { Tiles } from './tiles.js';

const LOOK_MS = 1_000;
/** Tiles between two rests: about 10 ms of work. */
const AT_ONCE = 8;
/** How often to look which checkpoints to keep. */
const KEEP_MS = 10_000;
/** While it rests for the commands' sake: between two looks whether they still come. */
const REST_MS = 250;
/**
 * Part of the time, from 0 to 1, that it takes while commands take all of it: then it falls behind, and who asks for a proof
 * has the missing tiles made.
 */
const SHARE = 0.01;

export interface TileMakerOptions {
  tiles: Pick<Tiles, 'make'>;
  /** Undefined: this replica signs nothing. */
  checkpoints: Pick<Checkpoints, 'keep'> | undefined;
  /** The last sequence of each partition that is known here. */
  heads(): number[];
  /** Milliseconds that this replica has worked on commands until now. */
  workedMs(): number;
  onMade(tiles: number): void;
  onFault(error: unknown): void;
}

/**
 * Makes the tiles of what was committed, and keeps checkpoints, when the commands leave time. Any number of replicas may do
 * so at once: a tile is the same whoever makes it.
 */
export class TileMaker {
  private readonly loop: Loop;
  private readonly pace: Pace;
  private readonly closing = new AbortController();
  /** Events of each partition whose full tiles are all made. */
  private readonly covered = new Map<number, number>();
  private turn = 0;
  private keptAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: TileMakerOptions) {
    const { workedMs, onFault } = options;
    this.pace = new Pace({ share: SHARE, workedMs, now: () => performance.now() });
    this.loop = new Loop({ everyMs: LOOK_MS, round: () => this.round(), onFault });
  }

  start(): void {
    this.loop.start();
  }

  /** Resolves when the tile at hand is made. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.loop.close();
  }

  /** Resolves to whether there is more to do. */
  private async round(): Promise<boolean> {
    await this.keep();
    const began = performance.now();
    const heads = this.options.heads();
    const partition = this.next(heads);
    if (partition === undefined) return false;
    const head = heads[partition] as number;
    const made = await this.options.tiles.make(partition, head, AT_ONCE);
    this.options.onMade(made);
    if (made < AT_ONCE) this.covered.set(partition, head - (head % TILE_WIDTH));
    await this.giveWay(performance.now() - began);
    return true;
  }

  /** Whose turn it is: one that always grows, or whose tiles cannot be made, does not keep the others from theirs. */
  private next(heads: readonly number[]): number | undefined {
    for (let tried = 0; tried < heads.length; tried++) {
      const partition = this.turn++ % heads.length;
      const head = heads[partition] as number;
      if (head - (this.covered.get(partition) ?? 0) >= TILE_WIDTH) return partition;
    }
    return undefined;
  }

  /** Forgets what it knew to be made: the log has another past. */
  forget(): void {
    this.covered.clear();
  }

  private async keep(): Promise<void> {
    if (performance.now() - this.keptAt < KEEP_MS) return;
    await this.options.checkpoints?.keep();
    this.keptAt = performance.now();
  }

  private async giveWay(took: number): Promise<void> {
    for (let rested = 0; !this.closing.signal.aborted; ) {
      const left = this.pace.restFor(took) - rested;
      if (left < 1) return;
      const began = performance.now();
      await rest(Math.min(left, REST_MS), this.closing.signal);
      rested += performance.now() - began;
    }
  }
}
