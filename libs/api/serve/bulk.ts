import { Places } from '#waiting';
import type { Serving } from '../asked.js';
import type { JobState, Ledger } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { selectionOf } from '../request/selected.js';
import { oneEach } from './one-each.js';
import { receiptOf } from './receipts.js';

/** Most who wait for the end of a job of a ledger at once; the next one is answered `overloaded`. */
const MOST_WAITING = 200;
const LOOK_MS = 200;
const waitsOf = oneEach(() => new Places(MOST_WAITING));

/** For operators: what concerns many sessions at once. */
export const bulk: Pick<Serving, 'startBulk' | 'bulkJobs' | 'bulkJob'> = {
  async startBulk(asked, ledger) {
    const { caller, body } = asked;
    const { tenant, principal } = caller;
    const order = { ...body, tenant, principal, select: selectionOf(body.select) };
    const job = await ledger.jobs.create(order, receiptOf(asked, ledger));
    if (!job) throw new ProblemError('key-reused');
    return { status: 202, headers: { location: `/v1/bulk/${job.id}` }, body: shown(job, ledger) };
  },
  async bulkJobs({ caller: { tenant }, query: { after, limit = 100 } }, ledger) {
    if (after !== undefined && !(await ledger.jobs.read(after, tenant)))
      throw new ProblemError('unknown-job');
    const jobs = await ledger.jobs.list(tenant, after, limit);
    const next = jobs.length === limit ? jobs.at(-1)?.id : undefined;
    return { body: { jobs: jobs.map((job) => shown(job, ledger)), next } };
  },
  async bulkJob(asked, ledger) {
    const { caller, params, query } = asked;
    const { tenant } = caller;
    const job = waitsOf(ledger).now(() =>
      finished(params.jobId, tenant, query.wait ?? 0, asked.gone(), ledger),
    );
    if (!job) throw new ProblemError('overloaded', 'Too many are waiting already.');
    return { body: shown(await job, ledger) };
  },
};

/** The job, once it is finished, `seconds` are over, or the caller is `gone`. Throws `unknown-job`. */
async function finished(
  jobId: string,
  tenant: string,
  seconds: number,
  gone: AbortSignal,
  { jobs, watch }: Ledger,
): Promise<JobState> {
  const until = performance.now() + seconds * 1_000;
  while (true) {
    const job = await jobs.read(jobId, tenant);
    if (!job) throw new ProblemError('unknown-job');
    const left = until - performance.now();
    if (job.finishedAt || left <= 0 || gone.aborted || watch.closed) return job;
    // Nothing happens to such a scope: this is a pause that ends when the service stops.
    await watch.next(`job ${jobId}`, Math.min(left, LOOK_MS), gone);
  }
}

function shown(job: JobState, { partitions: of }: Ledger) {
  const { id, principal, select, action, reason, counts, createdAt, updatedAt, finishedAt } = job;
  return {
    jobId: id,
    state: finishedAt ? 'finished' : 'open',
    principal,
    select,
    action,
    reason,
    counts,
    partitions: { done: job.after.partition, of },
    createdAt,
    updatedAt,
    finishedAt,
  };
}
