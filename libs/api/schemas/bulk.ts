import { Type } from 'typebox';
import { named } from './components.js';
import { closed, command, type Operation, operator, read, sent } from './operation.js';
import { GivenId, Instant, Reason, Selection } from './values.js';

export const BulkBody = named(
  'BulkBody',
  { select: Selection, action: Type.Enum(['end', 'release']), reason: Reason },
  closed,
);

export const JobQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 60, description: 'Seconds to wait for its end' }),
    ),
  },
  closed,
);

const Counts = Type.Object({
  examined: Type.Integer({ description: 'Sessions that matched; the sum of the others' }),
  changed: Type.Integer({ description: 'Sessions that this job ended or released' }),
  skipped: Type.Integer({ description: 'Sessions that no longer matched, or needed no change' }),
  failed: Type.Integer({ description: 'Failed; the log of the service says why' }),
});

export const BulkJob = named(
  'BulkJob',
  {
    jobId: Type.String(),
    state: Type.Enum(['open', 'finished']),
    principal: Type.String({ description: 'The principal that started it' }),
    select: Selection,
    action: Type.Enum(['end', 'release']),
    reason: Reason,
    counts: Counts,
    partitions: Type.Object({ done: Type.Integer(), of: Type.Integer() }),
    createdAt: Instant,
    updatedAt: Instant,
    finishedAt: Type.Optional(Instant),
  },
  { description: 'Kept for 30 days after it finishes' },
);

export const JobsQuery = Type.Object(
  {
    after: Type.Optional(GivenId),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
  },
  closed,
);

export const JobPage = named('JobPage', {
  jobs: Type.Array(BulkJob, { maxItems: 500, description: 'All jobs of the tenant, by any caller' }),
  next: Type.Optional(
    Type.String({ description: 'Pass as `after` for the next page; absent in the last one' }),
  ),
});

const jobAnswered = { schema: BulkJob };

/** What concerns many sessions at once. */
export const bulk = {
  startBulk: {
    method: 'POST',
    path: '/v1/bulk',
    needs: operator,
    summary: 'End or release all sessions of a user or of an environment, as a job',
    ...sent(BulkBody, {
      select: { environment: 'cloud-dev' },
      action: 'release',
      reason: 'cloud-dev is drained',
    }),
    answers: {
      202: { description: 'the job, which survives a restart', ...jobAnswered, headers: ['Location'] },
    },
    problems: [...command],
  },
  bulkJobs: {
    method: 'GET',
    path: '/v1/bulk',
    needs: operator,
    summary: 'Bulk jobs, open or finished, the newest first, in pages',
    query: JobsQuery,
    answers: { 200: { description: 'jobs and their progress', schema: JobPage } },
    problems: ['unknown-job', ...read],
  },
  bulkJob: {
    method: 'GET',
    path: '/v1/bulk/:jobId',
    needs: operator,
    summary: 'The progress of a bulk job',
    params: Type.Object({ jobId: GivenId }, closed),
    query: JobQuery,
    answers: { 200: { description: 'the job, finished or not', ...jobAnswered } },
    problems: ['unknown-job', ...read],
  },
} as const satisfies Record<string, Operation>;
