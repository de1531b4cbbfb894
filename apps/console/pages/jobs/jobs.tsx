import type { Operations } from '#client';
import { call } from '../../data/call';
import { addressOf } from '../../data/location';
import { usePolled } from '../../data/use-polled';
import { Of } from './of';
import { OrderJob } from './order-job';

type Job = Operations['bulkJob']['answer'];

/** Bulk jobs and how far they are, and a form that orders one. */
export function JobsPage({ about: { after } }: { about: Record<string, string> }) {
  const { value, trouble } = usePolled(
    (signal) => call('bulkJobs', { query: { limit: 50, ...(after && { after }) }, signal }),
    after ?? '',
    1_000,
  );
  return (
    <>
      <h1>Jobs</h1>
      {trouble && (
        <p class="trouble" role="status">
          {trouble}
        </p>
      )}
      {!after && <OrderJob />}
      <section class="card" aria-labelledby="ordered">
        <h2 id="ordered">Jobs of the last 30 days</h2>
        {value?.jobs.length === 0 && <p class="dim">None.</p>}
        {value && value.jobs.length > 0 && <JobTable jobs={value.jobs} />}
        {(after || value?.next) && (
          <p class="buttons">
            {after && <a href={addressOf('jobs')}>The newest</a>}
            {value?.next && <a href={addressOf('jobs', { after: value.next })}>Older jobs</a>}
          </p>
        )}
      </section>
    </>
  );
}

function JobTable({ jobs }: { jobs: readonly Job[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Started (UTC)</th>
          <th>By</th>
          <th>What</th>
          <th>Reason</th>
          <th>Progress</th>
          <th>Changed</th>
          <th>Skipped</th>
          <th>Failed</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.jobId} data-job={job.jobId}>
            <td>{job.createdAt.slice(0, 19).replace('T', ' ')}</td>
            <td>{job.principal}</td>
            <td>
              {job.action === 'end' ? 'End' : 'Release'} <Of select={job.select} />
            </td>
            <td>
              <bdi>{job.reason}</bdi>
            </td>
            <td>
              <Progress job={job} />
            </td>
            <td>{job.counts.changed.toLocaleString('en')}</td>
            <td>{job.counts.skipped.toLocaleString('en')}</td>
            <td class={job.counts.failed > 0 ? 'refused' : ''}>{job.counts.failed.toLocaleString('en')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Progress({ job: { state, partitions, createdAt, finishedAt, jobId } }: { job: Job }) {
  if (state === 'finished') {
    const seconds = (Date.parse(finishedAt ?? createdAt) - Date.parse(createdAt)) / 1_000;
    return <>finished in {seconds.toFixed(1)} s</>;
  }
  return (
    <label class="progress">
      <progress max={partitions.of} value={partitions.done} aria-label={`Job ${jobId}`} />
      {partitions.done} of {partitions.of} partitions
    </label>
  );
}
