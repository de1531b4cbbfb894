import type pg from 'pg';
import type { ScopeKey } from '#session';
import { listArchives } from '../archive/archives.js';
import { recordedEvents } from '../archive/replay.js';
import { type DatabaseOptions, openPipeline } from '../database.js';
import { scopeIdOf } from '../ids.js';
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
    const client = await openPipeline(options.database);
    clients.push(client);
    return client;
  };
  try {
    const [keeper, builder] = [await connect(), await connect()];
    const generation = await beginGeneration(keeper);
    const building = new Building(builder, generation, options);
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

  constructor(
    private readonly client: pg.Client,
    private readonly generation: number,
    private readonly options: RebuildOptions,
  ) {}

  /** Up to nearly the end, while the log grows. */
  async catchUp(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.standing = await standingOf(this.client, this.generation);
      if (this.left() <= (round === 0 ? 0 : NEARLY)) return;
      for (const { partition, head } of this.standing) await this.partition(partition, head);
    }
    throw new Error('the log grows faster than it can be folded: try again when fewer commands come');
  }

  /** Up to these positions, which do not move. */
  async reach(positions: ReadonlyMap<number, number>): Promise<void> {
    this.standing = await standingOf(this.client, this.generation);
    for (const [partition, sequence] of positions) await this.partition(partition, sequence);
  }

  report(): void {
    const total = this.standing.reduce((sum, { head }) => sum + head, 0);
    this.options.onProgress?.({ stage: this.stage, events: this.events, total });
  }

  private left(): number {
    return this.standing.reduce((sum, { sequence, head }) => sum + head - sequence, 0);
  }

  /** Folds what the table may no longer have; returns how far that came. */
  private async archived(partition: number): Promise<number> {
    let sequence = 0;
    for (const archive of await listArchives(this.client, partition)) {
      let page: UnprojectedEvent[] = [];
      for await (const { sequence: number, bytes } of recordedEvents(this.options.archives, archive)) {
        const { subject } = JSON.parse(bytes.toString()) as { subject: ScopeKey };
        page.push({ sequence: number, scope_id: scopeIdOf(subject), bytes });
        if (page.length < PAGE && number < archive.last) continue;
        sequence = await this.took(
          partition,
          await stepThrough(this.client, { generation: this.generation, partition }, page),
        );
        page = [];
      }
    }
    return sequence;
  }

  private async took(partition: number, stepped: Stepped): Promise<number> {
    this.options.signal?.throwIfAborted();
    if (!stepped) throw new Error(TAKEN_OVER);
    if (stepped.events === 0) throw new Error(`partition ${partition} ends after ${stepped.sequence}`);
    this.events += stepped.events;
    this.report();
    return stepped.sequence;
  }

  private async partition(partition: number, until: number): Promise<void> {
    const { generation } = this;
    let sequence = this.standing.find((one) => one.partition === partition)?.sequence ?? 0;
    if (sequence === 0) sequence = await this.archived(partition);
    while (sequence < until) {
      sequence = await this.took(partition, await step(this.client, { generation, partition }, PAGE));
    }
  }
}
