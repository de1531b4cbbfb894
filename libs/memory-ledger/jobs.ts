import { ProblemError, selectionOf } from '#protocol';
import { currentOf, type Instant, isSelected, type Session } from '#session';
import { type Asked, anonymous, type Serving } from './serving.js';
import type { Store } from './store.js';

interface Job {
  jobId: string;
  order: Asked<'startBulk'>['body'];
  counts: { examined: number; changed: number; skipped: number; failed: number };
  createdAt: Instant;
}

/** How long a job that is finished is remembered. */
const KEPT_MS = 30 * 86_400_000;

/** Serves bulk jobs. The work is done before the order is answered, though the answer is that of a new job. */
export function jobs(store: Store): Pick<Serving, 'startBulk' | 'bulkJob'> {
  const all = new Map<string, Job>();
  const byKey = new Map<string, { request: string; job: Job }>();

  function shown({ jobId, order, counts, createdAt }: Job, isFinished: boolean): object {
    const zeros = { examined: 0, changed: 0, skipped: 0, failed: 0 };
    const done = { state: 'finished', counts, partitions: { done: store.partitions, of: store.partitions } };
    const open = { state: 'open', counts: zeros, partitions: { done: 0, of: store.partitions } };
    const times = { createdAt, updatedAt: createdAt, ...(isFinished && { finishedAt: createdAt }) };
    return { jobId, ...order, ...(isFinished ? done : open), ...times };
  }

  function deal({ jobId, order, counts }: Job, { sessionId, epoch }: Session): void {
    const issued = { sessionId, epoch, force: true, ...anonymous };
    const origin = { environment: 'bulk', instance: jobId };
    const scope = store.scopeOf(sessionId);
    if (!scope) return;
    const { scopeKey } = scope;
    const done =
      order.action === 'release'
        ? store.execute({ command: { type: 'ReleaseOwnership', ...issued }, scopeKey })
        : store.execute({
            command: { type: 'EndSession', origin, reason: order.reason, ...issued },
            scopeKey,
          });
    counts.examined += 1;
    counts['outcome' in done && done.outcome !== 'unchanged' ? 'changed' : 'skipped'] += 1;
  }

  return {
    startBulk({ body, receipt }) {
      const select = selectionOf(body.select);
      const before = receipt && byKey.get(receipt.key);
      if (before && before.request !== receipt.request()) throw new ProblemError('key-reused');
      if (before) return { status: 202, headers: placeOf(before.job), body: shown(before.job, true) };
      const counts = { examined: 0, changed: 0, skipped: 0, failed: 0 };
      const createdAt = new Date(store.now()).toISOString();
      const job: Job = { jobId: crypto.randomUUID(), order: body, counts, createdAt };
      const current = store.scopes().flatMap(({ state }) => currentOf(state) ?? []);
      for (const session of current) if (isSelected(session, select)) deal(job, session);
      all.set(job.jobId, job);
      if (receipt) byKey.set(receipt.key, { request: receipt.request(), job });
      return { status: 202, headers: placeOf(job), body: shown(job, false) };
    },
    bulkJob({ params: { jobId } }) {
      const job = all.get(jobId);
      if (!job || Date.parse(job.createdAt) + KEPT_MS < store.now()) throw new ProblemError('unknown-job');
      return { body: shown(job, true) };
    },
  };
}

function placeOf({ jobId }: Job): Record<string, string> {
  return { location: `/v1/bulk/${jobId}` };
}
