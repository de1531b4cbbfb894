import type { BulkBody } from '#contracts';
import { type BulkWorker, type Job, Jobs, LogError } from '#log';
import { ProblemError, selectionOf } from '#protocol';
import type { Caller } from './caller.js';
import type { ScopeWatch } from './streams/scope-watch.js';
import { type KeyedRequest, receiptKey } from './submissions.js';

/** Most who wait for the end of a job at once; the next one is answered `overloaded`. */
const MOST_WAITING = 200;
const LOOK_MS = 200;

/** Orders bulk jobs and tells how far they have come. */
export class Bulk {
  private waiting = 0;

  constructor(
    private readonly jobs: Jobs,
    private readonly worker: BulkWorker,
    private readonly watch: ScopeWatch,
  ) {}

  /** Throws `operate-required`, `invalid-request`, `key-reused`; LogError `overloaded` when too many are open. */
  async order(caller: Caller, body: BulkBody, request: KeyedRequest): Promise<Job> {
    if (!caller.operate) throw new ProblemError('operate-required');
    const { tenant, principal } = caller;
    const order = { ...body, tenant, principal, select: selectionOf(body.select) };
    const job = await this.jobs.create(order, receiptKey(caller, request));
    if (!job) throw new ProblemError('key-reused');
    this.worker.wake();
    return job;
  }

  /** The job, once it is finished, `seconds` are over, or the caller is `gone`. Throws `operate-required` and `unknown-job`. */
  async read(caller: Caller, jobId: string, seconds: number, gone: AbortSignal): Promise<Job> {
    if (!caller.operate) throw new ProblemError('operate-required');
    if (this.waiting >= MOST_WAITING) throw new LogError('overloaded', 'Too many are waiting already.');
    const until = performance.now() + seconds * 1_000;
    this.waiting += 1;
    try {
      while (true) {
        const job = await this.jobs.read(jobId, caller.tenant);
        if (!job) throw new ProblemError('unknown-job');
        const left = until - performance.now();
        if (job.finishedAt || left <= 0 || gone.aborted || this.watch.closed) return job;
        // Nothing happens to such a scope: this is a pause that ends when the service stops.
        await this.watch.next(`job ${jobId}`, Math.min(left, LOOK_MS), gone);
      }
    } finally {
      this.waiting -= 1;
    }
  }
}
