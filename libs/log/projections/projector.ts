import type pg from 'pg';
import { type DatabaseOptions, openPipeline } from '../database.js';
import { isDataError } from '../errors.js';
import { statement } from '../statements.js';
import type { Tail } from '../tail.js';
import { step } from './step.js';
import { UnprojectableEvent } from './stored-event.js';

const readLiveGeneration = statement('read_live_generation');

/** Most events of one transaction. */
const PAGE = 500;
/** How often to look what others have projected, and whether another generation has become the live one. */
const LOOK_MS = 1_000;
/** Before a partition that another replica is at, or that cannot go on, is tried again. */
const HELD_MS = 250;
const STOPPED_MS = 5_000;
/** What comes within this time after news is projected together. */
const GATHER_MS = 10;
const MOST_REST_MS = 1_000;

export interface ProjectorOptions {
  database: DatabaseOptions;
  tail: Tail;
  /** Part of the time, from 0 to 1, that the projector takes while `isBusy`: the rest is the commands'. */
  share: number;
  /** Whether commands wait. Then the projector falls behind rather than slow them down. */
  isBusy(): boolean;
  onProjected(events: number): void;
  onFault(error: unknown): void;
}

/** Where the projection of a partition stands. */
export interface Projected {
  partition: number;
  sequence: number;
  /** Events that are not projected yet. */
  behind: number;
  /** Why it cannot go on: an event that this version does not understand. It is tried again every 5 s. */
  why?: string;
}

interface PartState {
  sequence: number;
  /** Not before this time, by performance.now(). */
  notBefore: number;
  why?: string;
}

/**
 * Keeps the live read models up with the log: one partition after the other, on one connection. Any number of
 * replicas may do so at once, because each step locks its partition's position; what one projected, the others find
 * done. Nothing waits for it but readers who ask to.
 */
export class Projector {
  private readonly parts: PartState[];
  private generation = 0;
  private client: pg.Client | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private turn = 0;
  private sleeping: { wake(): void; forNews: boolean } | undefined;
  private closed = false;
  private forgetTail = () => {};
  private running: Promise<void> | undefined;

  constructor(private readonly options: ProjectorOptions) {
    this.parts = Array.from({ length: options.tail.partitions }, () => ({ sequence: 0, notBefore: 0 }));
  }

  start(): void {
    this.forgetTail = this.options.tail.listen(() => {
      if (this.sleeping?.forNews) this.sleeping.wake();
    });
    this.running = this.run();
  }

  /** Resolves when the step at hand is over. */
  async close(): Promise<void> {
    this.closed = true;
    this.forgetTail();
    this.sleeping?.wake();
    await this.running;
    await this.disconnect();
  }

  status(): Projected[] {
    const heads = this.options.tail.heads();
    return this.parts.map(({ sequence, why }, partition) => ({
      partition,
      sequence,
      behind: Math.max(0, (heads[partition] ?? 0) - sequence),
      ...(why !== undefined && { why }),
    }));
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      try {
        if (performance.now() - this.lookedAt > LOOK_MS) await this.look();
        const partition = this.next();
        if (partition === undefined) await this.news();
        else await this.project(partition);
      } catch (error) {
        this.options.onFault(error);
        await this.disconnect();
        await this.sleep(LOOK_MS);
      }
    }
  }

  /** The next partition that is behind and may be tried now. */
  private next(): number | undefined {
    const heads = this.options.tail.heads();
    const now = performance.now();
    for (let tried = 0; tried < this.parts.length; tried++) {
      const partition = this.turn++ % this.parts.length;
      const { sequence, notBefore } = this.parts[partition]!;
      if ((heads[partition] ?? 0) > sequence && now >= notBefore) return partition;
    }
    return undefined;
  }

  private async project(partition: number): Promise<void> {
    const part = this.parts[partition]!;
    const began = performance.now();
    try {
      const stepped = await step(await this.connect(), { generation: this.generation, partition }, PAGE);
      delete part.why;
      if (!stepped?.events) {
        // Another replica is at it, or has just done it; or the generation is not the live one any more. A look tells.
        part.notBefore = performance.now() + HELD_MS;
        this.lookedAt = Number.NEGATIVE_INFINITY;
        return;
      }
      part.sequence = stepped.sequence;
      this.options.onProjected(stepped.events);
    } catch (error) {
      if (!(error instanceof UnprojectableEvent) && !isDataError(error)) throw error;
      // The other partitions go on; this one waits for a version that understands the event.
      // What Postgres says may quote data.
      part.why = error instanceof UnprojectableEvent ? error.message : 'Postgres refuses what was projected';
      part.notBefore = performance.now() + STOPPED_MS;
      this.options.onFault(error);
    }
    if (this.options.isBusy()) {
      const took = performance.now() - began;
      await this.sleep(Math.min(MOST_REST_MS, took / this.options.share - took));
    }
  }

  private async look(): Promise<void> {
    const client = await this.connect();
    const { rows } = await client.query(readLiveGeneration);
    for (const { generation, partition, sequence } of rows) {
      this.generation = generation;
      const part = this.parts[partition];
      if (part) part.sequence = sequence;
    }
    this.lookedAt = performance.now();
  }

  /** Waits for an event that is not projected, for the next look, or for a partition that is to be tried again. */
  private async news(): Promise<void> {
    const now = performance.now();
    const due = this.parts.map(({ notBefore }) => notBefore - now).filter((ms) => ms > 0);
    await this.sleep(Math.min(LOOK_MS - (now - this.lookedAt), ...due), true);
    await this.sleep(GATHER_MS);
  }

  private sleep(ms: number, forNews = false): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.sleeping = undefined;
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, ms));
      this.sleeping = { wake, forNews };
    });
  }

  private async connect(): Promise<pg.Client> {
    if (this.client) return this.client;
    const client = await openPipeline(this.options.database);
    client.once('end', () => {
      if (this.client === client) this.client = undefined;
    });
    this.client = client;
    return client;
  }

  private async disconnect(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => {}); // a lost connection is closed already
  }
}
