import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Answer, JobCounts, Place, Submission } from '#api';
import { ask, digest, LogError, START, type UserScopes } from '#log';
import { type Draft, isSelected, partitionOfSession, type Selection, type Session, scopeKey } from '#session';
import { Loop } from '#waiting';
import type { Job, JobItem, Jobs } from './jobs.js';
import { statement } from './statements.js';

const lookThrough = statement('look_through');

/** Most sessions of one step, and most scopes of one look. */
const PAGE = 500;
/** Commands at once, so that other commands wait no longer than for an ordinary batch. */
const SLICE = 50;
/** How long to look for matching sessions before it is written down how far that came, in milliseconds. */
const LOOK_MS = 1_000;
/** How often a session that changes all the time is tried. */
const TRIES = 3;
const HOUR_MS = 3_600_000;

export interface BulkWorkerOptions {
  pool: pg.Pool;
  jobs: Jobs;
  scopes: UserScopes;
  partitions: number;
  /** Between two looks for a job, in milliseconds. */
  everyMs: number;
  submit(submission: Submission): Promise<Answer>;
  onFault(error: unknown): void;
}

type Fate = 'changed' | 'skipped' | 'failed';

/**
 * Works on bulk jobs, one step at a time: writes down the next page of sessions, sends each of them an ordinary
 * command under the epoch that was read, and writes down what became of them. May run on every replica; a step
 * that is done again after a crash does and counts the same, because each command has a receipt.
 */
export class BulkWorker {
  private readonly loop: Loop;
  private forgetAt = 0;

  constructor(private readonly options: BulkWorkerOptions) {
    // What a fault leaves undone is done again: the job's lease runs out.
    const { everyMs, onFault } = options;
    this.loop = new Loop({ everyMs, round: () => this.round(), onFault });
  }

  start(): void {
    this.loop.start();
  }

  /** There is a new job: no need to wait for the next look. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves when the step at hand is over. */
  close(): Promise<void> {
    return this.loop.close();
  }

  /** One step of one job. False when there was none. */
  private async round(): Promise<boolean> {
    const { jobs } = this.options;
    if (performance.now() >= this.forgetAt) {
      await jobs.forget();
      this.forgetAt = performance.now() + HOUR_MS;
    }
    const job = await jobs.take();
    if (job) await this.step(job);
    return job !== undefined;
  }

  private async step(job: Job): Promise<void> {
    const { jobs, partitions } = this.options;
    let { page, after } = job;
    if (page.length === 0) {
      ({ page, after } = await this.find(job));
      if (!(await jobs.savePage(job, page, after))) return;
    }
    const counts = await this.work(job, page);
    if (counts) await jobs.saveStep(job, counts, after.partition >= partitions);
  }

  /** The sessions to deal with next, and after which place to go on; empty when the time to look was over. */
  private async find({ select, tenant, after }: Job): Promise<Pick<Job, 'page' | 'after'>> {
    if ('userId' in select) return this.findOfUser(tenant, select.userId, after);
    const until = performance.now() + LOOK_MS;
    let next = after;
    let page: JobItem[] = [];
    while (page.length === 0 && next.partition < this.options.partitions && performance.now() < until) {
      ({ page, after: next } = await this.look(tenant, select, next));
    }
    return { page, after: next };
  }

  private async findOfUser(
    tenant: string,
    userId: string,
    after: Place,
  ): Promise<Pick<Job, 'page' | 'after'>> {
    const anyProject = scopeKey({ tenant, userId, projectId: 'default' });
    const found = await this.options.scopes.current(anyProject, after, PAGE);
    const last = found.length === PAGE ? found.at(-1) : undefined;
    return {
      page: found.map(({ json }) => itemOf(json)),
      after: last ?? { ...START, partition: this.options.partitions },
    };
  }

  /** Looks through the next scopes of a partition: no index tells who owns what, because every command would pay for it. */
  private async look(
    tenant: string,
    { environment, instance }: Extract<Selection, { environment: string }>,
    { partition, scopeId }: Place,
  ): Promise<Pick<Job, 'page' | 'after'>> {
    const prefix = scopeKey({ tenant, userId: '', projectId: '' }).slice(0, -1);
    const values = [partition, scopeId, PAGE, prefix, environment, instance] as const;
    const { rows } = await ask(this.options.pool, lookThrough, values);
    const last = rows.length === PAGE ? rows.at(-1)?.scope_id.replaceAll('-', '') : undefined;
    return {
      page: rows.flatMap(({ latest }) => (latest === null ? [] : [itemOf(latest)])),
      after: last ? { partition, scopeId: last } : { ...START, partition: partition + 1 },
    };
  }

  /** Undefined when another worker has taken the job over: it counts all of the page. */
  private async work(job: Job, page: readonly JobItem[]): Promise<JobCounts | undefined> {
    const counts: JobCounts = { examined: page.length, changed: 0, skipped: 0, failed: 0 };
    for (let start = 0; start < page.length; start += SLICE) {
      if (start > 0 && !(await this.options.jobs.keep(job))) return undefined;
      const slice = page.slice(start, start + SLICE).map((item) => this.deal(job, item));
      for (const fate of await Promise.all(slice)) counts[fate] += 1;
    }
    return counts;
  }

  /** Sends a session its command; when it has changed since, what is current there instead, if that is meant, too. */
  private async deal(job: Job, item: JobItem): Promise<Fate> {
    for (let next = item, tries = 0; tries < TRIES; tries += 1) {
      const answer = await this.submit(submissionOf(job, next));
      if (!answer) return 'failed';
      if (answer.kind === 'accepted') return answer.outcome === 'unchanged' ? 'skipped' : 'changed';
      const current = answer.kind === 'refused' ? answer.refusal.current : undefined;
      const isNew = current && (current.sessionId !== next.sessionId || current.epoch !== next.epoch);
      if (!isNew || !isSelected(current, job.select)) return 'skipped';
      next = current;
    }
    return 'skipped';
  }

  /** Undefined when the log refuses this one command; throws when the step has to be done again later. */
  private async submit(submission: Submission): Promise<Answer | undefined> {
    try {
      return await this.options.submit(submission);
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'rejected') throw error;
      this.options.onFault(error);
      return undefined;
    }
  }
}

function itemOf(json: string): JobItem {
  const { sessionId, epoch }: Session = JSON.parse(json);
  return { sessionId, epoch };
}

/** An ordinary command, forced by the operator. A stop's origin names the job, as nobody else's does. */
function submissionOf(
  { id, tenant, principal, action, reason }: Job,
  { sessionId, epoch }: JobItem,
): Submission {
  const issued = { sessionId, epoch, principal, operate: true, force: true };
  const command: Draft =
    action === 'release'
      ? { type: 'ReleaseOwnership', ...issued }
      : { type: 'EndSession', origin: { environment: 'bulk', instance: id }, reason, ...issued };
  const receipt = { key: digest(`bulk ${id} ${sessionId}`), fingerprint: digest(action) };
  const partition = partitionOfSession(sessionId);
  return { command, tenant, partition, commandId: randomUUID(), receipt };
}
