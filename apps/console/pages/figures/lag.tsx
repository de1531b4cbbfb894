import type { Sample } from '../../data/samples';
import { Spark } from './spark';

/** More are not looked over: of more partitions those that lag most. */
const MOST_SHOWN = 64;
/** A few events are behind whenever some come. */
const LATE = 1_000;

/** How far behind something is, a small plot for each partition, on one scale. */
export function Lag({ what, lags, note }: { what: string; lags: Sample['relay'][]; note?: string }) {
  const now = lags.at(-1) ?? [];
  const behind = now.reduce((sum, lag) => sum + lag, 0);
  const most = lags.reduce((top, lag) => Math.max(top, ...lag), 10);
  const partitions = now.map((lag, partition) => ({ lag, partition }));
  if (partitions.length > MOST_SHOWN)
    partitions.sort((one, other) => other.lag - one.lag || one.partition - other.partition);
  const shown = partitions.slice(0, MOST_SHOWN);
  return (
    <section class="card">
      <h2>
        {what}, events behind by partition{' '}
        <span class="now-behind">{behind === 0 ? 'none' : behind.toLocaleString('en')}</span>
      </h2>
      {note && <p class="dim">{note}</p>}
      <ul class="lags">
        {shown.map(({ lag, partition }) => (
          <li key={partition} class={lag >= LATE ? 'late' : ''}>
            <span>
              <span class="dim">p{partition}</span> {lag.toLocaleString('en')}
            </span>
            <Spark
              values={lags.map((one) => one[partition])}
              name={`${what}, partition ${partition}, events behind`}
              most={most}
            />
          </li>
        ))}
      </ul>
      {partitions.length > MOST_SHOWN && (
        <p class="dim">
          The {MOST_SHOWN} partitions, of {partitions.length}, that are furthest behind.
        </p>
      )}
    </section>
  );
}
