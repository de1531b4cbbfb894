import type pg from 'pg';
import { recordedEvents } from '#archive';
import { listArchives, scopeIdOf } from '#log';
import { type DatabaseOptions, openClient } from '#postgres';
import type { ScopeKey } from '#session';
import {
  beginGeneration,
  dropRetired,
  freezeLive,
  type Standing,
  standingOf,
  swapTo,
  TAKEN_OVER,
} from './generations.js';
import { type Stepped, step, stepThrough, type UnprojectedEvent } from './step.js';

/** Most events of one transaction: larger than the projector's, since nobody waits for these. */
const PAGE = 2_000;
/** When no more than this is left, the live generation may be stopped for the rest. */
const NEARLY = 2_000;
const MOST_ROUNDS = 100;
/** Partitions that are built at once: while Postgres writes the rows of one, this process folds those of the other. */
const BUILDERS = 2;

export interface RebuildOptions {
  database: DatabaseOptions;
  /** Where the archives are; needed once anything was archived. */
  archives?: string | undefined;
  /** Hears how far it has come, after every page. */
  onProgress?(progress: RebuildProgress): void;
  /** Aborting leaves the live generation as it is. */
  signal?: AbortSignal;
}

export interface RebuildProgress {
  stage: 'building' | 'swapping' | 'dropping';
  /** Events that were folded, of those that the log has. */
  events: number;
  total: number;
}

/**
 * Builds all read models anew from the log, beside the live ones, and swaps. Readers get the old generation until the
 * swap and the new one after it, never one that stands before where they have read. Killed at any time, it can be
 * started again: it gives up what was half built and begins anew; a second one at the same time takes over from the
 * first, which then throws. Throws UnprojectableEvent when this version does not understand an event; the live ones
 * stay then as they are; and ArchiveError when an archive is missing or another one than was recorded, or nobody said
 * where they are.
 */
export async function rebuild(options: RebuildOptions): Promise<{ generation: number; events: number }> {
  const clients: pg.Client[] = [];
  const connect = async () => {
    const client = await openClient(options.database);
    clients.push(client);
    return client;
  };
  try {
    const keeper = await connect();
    const builders = await Promise.all(Array.from({ length: BUILDERS }, connect));
    const generation = await beginGeneration(keeper);
    const building = new Building(keeper, builders, generation, options);
    await building.catchUp();
    building.stage = 'swapping';
    await building.reach(await freezeLive(keeper));
    await swapTo(keeper, generation);
    building.stage = 'dropping';
    building.report();
    await dropRetired(keeper);
    return { generation, events: building.events };
  } finally {
    // Also ends what was not committed.
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

/** A generation on its way from nothing to the end of the log. */
class Building {
  stage: RebuildProgress['stage'] = 'building';
  events = 0;
  private standing: Standing[] = [];
  /** Aborted by whoever fails, for the others. */
  private readonly failing = new AbortController();

  constructor(
    private readonly keeper: pg.Client,
    private readonly clients: readonly pg.Client[],
    private readonly generation: number,
    private readonly options: RebuildOptions,
  ) {}

  /** Up to nearly the end, while the log grows. */
  async catchUp(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.standing = await standingOf(this.keeper, this.generation);
      if (this.left() <= (round === 0 ? 0 : NEARLY)) return;
      await this.partitions(this.standing.map(({ partition, head }) => [partition, head]));
    }
    throw new Error('the log grows faster than it can be folded: try again when fewer commands come');
  }

  /** Up to these positions, which do not move. */
  async reach(positions: ReadonlyMap<number, number>): Promise<void> {
    this.standing = await standingOf(this.keeper, this.generation);
    await this.partitions([...positions]);
  }

  report(): void {
    const total = this.standing.reduce((sum, { head }) => sum + head, 0);
    this.options.onProgress?.({ stage: this.stage, events: this.events, total });
  }

  private left(): number {
    return this.standing.reduce((sum, { sequence, head }) => sum + head - sequence, 0);
  }

  /** Each up to a sequence, several at once. Throws why the first one failed, when the others have stopped. */
  private async partitions(until: [partition: number, sequence: number][]): Promise<void> {
    const work = async (client: pg.Client) => {
      try {
        for (let next = until.pop(); next; next = until.pop()) await this.partition(client, ...next);
      } catch (error) {
        this.failing.abort(error);
      }
    };
    await Promise.all(this.clients.map(work));
    this.failing.signal.throwIfAborted();
  }

  private async partition(client: pg.Client, partition: number, until: number): Promise<void> {
    let sequence = this.standing.find((one) => one.partition === partition)?.sequence ?? 0;
    if (sequence === 0) sequence = await this.archived(client, partition);
    while (sequence < until) {
      const stepped = await step(client, this.generation, [{ partition, most: PAGE }]);
      sequence = this.took(partition, stepped);
    }
  }

  /** Folds what the table may no longer have; returns how far that came. */
  private async archived(client: pg.Client, partition: number): Promise<number> {
    let sequence = 0;
    for (const archive of await listArchives(client, partition)) {
      let page: UnprojectedEvent[] = [];
      for await (const { sequence: number, bytes } of recordedEvents(this.options.archives, archive)) {
        const text = bytes.toString();
        const { subject } = JSON.parse(text) as { subject: ScopeKey };
        page.push({ partition, sequence: number, scope_id: scopeIdOf(subject), text });
        if (page.length < PAGE && number < archive.last) continue;
        sequence = this.took(partition, await stepThrough(client, this.generation, page));
        page = [];
      }
    }
    return sequence;
  }

  private took(partition: number, steps: ReadonlyMap<number, Stepped>): number {
    this.options.signal?.throwIfAborted();
    this.failing.signal.throwIfAborted();
    const stepped = steps.get(partition);
    if (!stepped) throw new Error(TAKEN_OVER);
    if (stepped.events === 0) {
      throw stepped.fault ?? new Error(`partition ${partition} ends after ${stepped.sequence}`);
    }
    this.events += stepped.events;
    this.report();
    return stepped.sequence;
  }
}
