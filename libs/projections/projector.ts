import type pg from 'pg';
import { isDefect, type Tail } from '#log';
import { type DatabaseOptions, isDataError, Link, query } from '#postgres';
import { untilWoken } from '#waiting';
import { Pace } from './pace.js';
import { statement } from './statements.js';
import { type AskedPage, type Stepped, step } from './step.js';

const readLiveGeneration = statement('read_live_generation');

/** Most events of one transaction. More would keep this process from its commands for longer at a time. */
const PAGE = 500;
/** How often to look what others have projected, and whether another generation has become the live one. */
const LOOK_MS = 1_000;
/** Before a partition that another replica is at, or that cannot go on, is tried again. */
const HELD_MS = 250;
const STOPPED_MS = 5_000;
/** Between two pages, unless more than a page waits: what comes meanwhile is projected together. */
const GATHER_MS = 20;
/** While it rests for the commands' sake: between two looks whether they still come. */
const REST_MS = 50;

export interface ProjectorOptions {
  database: DatabaseOptions;
  tail: Tail;
  /** Part of the time, from 0 to 1, that it takes while commands take all of it: then it falls behind instead. */
  share: number;
  /** Milliseconds that this replica has worked on commands until now. */
  workedMs(): number;
  /** Hears how many events of a partition a step took. */
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

function whyStopped(error: unknown): string {
  return isDefect(error) ? 'the projector breaks on the next event' : 'Postgres refuses what was projected';
}

interface PartState {
  sequence: number;
  /** Not before this time, by performance.now(). */
  notBefore: number;
  why?: string;
}

/**
 * Keeps the live read models up with the log: a page of events at a time, of all partitions that have any, on one
 * connection. Any number of replicas may do so at once, because each step locks its partitions' positions; what one
 * projected, the others find done. Nothing waits for it but readers who ask to.
 */
export class Projector {
  private readonly parts: PartState[];
  private generation = 0;
  private readonly link: Link<pg.Client>;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private turn = 0;
  private sleeping: { wake(): void; forNews: boolean } | undefined;
  private closed = false;
  private readonly pace: Pace;
  private forgetTail = () => {};
  private running: Promise<void> | undefined;

  constructor(private readonly options: ProjectorOptions) {
    this.link = new Link(options.database, (client) => client);
    this.parts = Array.from({ length: options.tail.partitions }, () => ({ sequence: 0, notBefore: 0 }));
    const { share, workedMs } = options;
    this.pace = new Pace({ share, workedMs, now: () => performance.now() });
  }

  start(): void {
    const wake = () => {
      if (this.sleeping?.forNews) this.sleeping.wake();
    };
    this.forgetTail = this.options.tail.listen(wake, () => false);
    this.running = this.run();
  }

  /** Resolves when the step at hand is over. */
  async close(): Promise<void> {
    this.closed = true;
    this.forgetTail();
    this.sleeping?.wake();
    await this.running;
    await this.link.close();
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
        const asked = this.next();
        if (asked.length === 0) await this.news();
        else await this.giveWay(await this.timed(asked));
        const events = asked.reduce((sum, { most }) => sum + most, 0);
        if (events > 0 && events < PAGE) await this.sleep(GATHER_MS);
      } catch (error) {
        this.options.onFault(error);
        await this.link.close();
        await this.sleep(LOOK_MS);
      }
    }
  }

  /** The next page: of partitions that are behind and may be tried now, each in its turn. */
  private next(): AskedPage[] {
    const heads = this.options.tail.heads();
    const now = performance.now();
    const asked: AskedPage[] = [];
    for (let tried = 0, left = PAGE; tried < this.parts.length && left > 0; tried++) {
      const partition = this.turn++ % this.parts.length;
      const { sequence, notBefore } = this.parts[partition]!;
      const most = Math.min(left, (heads[partition] ?? 0) - sequence);
      if (most <= 0 || now < notBefore) continue;
      asked.push({ partition, most });
      left -= most;
    }
    return asked;
  }

  private async timed(asked: readonly AskedPage[]): Promise<number> {
    const began = performance.now();
    await this.project(asked);
    return performance.now() - began;
  }

  private async project(asked: readonly AskedPage[]): Promise<void> {
    try {
      const stepped = await step(await this.link.open(), this.generation, asked);
      for (const { partition } of asked) this.came(this.parts[partition]!, stepped.get(partition));
    } catch (error) {
      if (!isDataError(error) && !isDefect(error)) throw error;
      // Some partition's data. Nobody says whose: each alone, so that the others go on.
      if (asked.length > 1) for (const one of asked) await this.project([one]);
      // What either says may quote data.
      else this.stop(this.parts[asked[0]!.partition]!, whyStopped(error), error);
    }
  }

  private came(part: PartState, stepped: Stepped | undefined): void {
    const { sequence = 0, events = 0, fault } = stepped ?? {};
    delete part.why;
    if (events > 0) {
      part.sequence = sequence;
      this.options.onProjected(events);
    } else if (fault) {
      this.stop(part, fault.message, fault);
    } else {
      // Another replica is at it, or has just done it; or the generation is not the live one any more. A look tells.
      part.notBefore = performance.now() + HELD_MS;
      this.lookedAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** The other partitions go on; this one waits for a version that understands what comes next. */
  private stop(part: PartState, why: string, fault: unknown): void {
    part.why = why;
    part.notBefore = performance.now() + STOPPED_MS;
    this.options.onFault(fault);
  }

  /** Rests after work that took so long, until the commands have had their part of the time, or pause. */
  private async giveWay(took: number): Promise<void> {
    for (let rested = 0; !this.closed; ) {
      const left = this.pace.restFor(took) - rested;
      if (left < 1) return;
      const began = performance.now();
      await this.sleep(Math.min(left, REST_MS));
      rested += performance.now() - began;
    }
  }

  private async look(): Promise<void> {
    const client = await this.link.open();
    const { rows } = await query(client, readLiveGeneration);
    for (const { generation, partition, sequence } of rows) {
      this.generation = generation;
      const part = this.parts[partition];
      if (!part) continue;
      if (sequence > part.sequence) delete part.why; // another replica has understood what this one stopped at
      part.sequence = sequence;
    }
    this.lookedAt = performance.now();
  }

  /** Waits for an event that is not projected, for the next look, or for a partition that is to be tried again. */
  private async news(): Promise<void> {
    const now = performance.now();
    const due = this.parts.map(({ notBefore }) => notBefore - now).filter((ms) => ms > 0);
    await this.sleep(Math.min(LOOK_MS - (now - this.lookedAt), ...due), true);
  }

  private sleep(ms: number, forNews = false): Promise<void> {
    if (this.closed) return Promise.resolve();
    return untilWoken({ ms }, (wake) => {
      this.sleeping = { wake, forNews };
      return () => {
        this.sleeping = undefined;
      };
    });
  }
}
