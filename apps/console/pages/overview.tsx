import { useEffect, useRef, useState } from 'preact/hooks';
import type { Operations } from '#client';
import { call } from '../data/call';
import { addressOf } from '../data/location';
import { usePolled } from '../data/use-polled';

type Stats = Operations['stats']['answer'];

interface Rates {
  commands: number;
  refusals: number;
}
const KEPT = 60;

/** What is current and what is going on. One request a second serves it. */
export function OverviewPage() {
  const { value, trouble } = usePolled(
    (signal) => call('stats', { query: { maxAge: 1 }, signal }),
    '',
    2_000,
  );
  const rates = useRates(value);
  if (!value)
    return (
      <p class="trouble" role="status">
        {trouble ?? 'Reading…'}
      </p>
    );
  const { current, sync, ledger, projection, relay, replicas } = value;
  const last = rates.at(-1);
  return (
    <>
      <h1>Overview</h1>
      {trouble && (
        <p class="trouble" role="status">
          {trouble}
        </p>
      )}
      <div class="tiles">
        <section class="card">
          <h2>Current sessions</h2>
          <p class="big">{current.total.toLocaleString('en')}</p>
          <ul class="plain">
            {Object.entries(current.byStatus).map(([status, count]) => (
              <li key={status}>
                <i class={`swatch ${status}`} />
                <a href={addressOf('sessions', { status })}>{status}</a> {count.toLocaleString('en')}
              </li>
            ))}
          </ul>
        </section>
        <section class="card">
          <h2>Commands a second</h2>
          <p class="big">{last ? last.commands.toFixed(1) : '…'}</p>
          <Spark values={rates.map((rate) => rate.commands)} />
        </section>
        <section class="card">
          <h2>Refusals a second</h2>
          <p class="big">{last ? last.refusals.toFixed(1) : '…'}</p>
          <Spark values={rates.map((rate) => rate.refusals)} />
        </section>
        <section class="card">
          <h2>Reports in sync</h2>
          <p class="big">{sync.rate === undefined ? 'none' : `${(sync.rate * 100).toFixed(1)} %`}</p>
          <p>
            <a href={addressOf('holders')}>Who holds what</a>
          </p>
        </section>
        {ledger && (
          <section class="card">
            <h2>Ledger</h2>
            <p class="big">{ledger.events.toLocaleString('en')}</p>
            <p class="dim">
              events in {ledger.partitions} partitions; read models {projection?.behind ?? 0} behind; Kafka{' '}
              {relay ? (relay.held ? `${relay.behind} behind` : 'is not relayed to') : 'not known'};{' '}
              {replicas?.length ?? 0} replicas
            </p>
          </section>
        )}
      </div>
      <section class="card">
        <h2>By environment</h2>
        <table>
          <thead>
            <tr>
              <th>Environment</th>
              <th>Sessions</th>
            </tr>
          </thead>
          <tbody>
            {current.byEnvironment.map(({ environment, count }) => (
              <tr key={environment ?? ''}>
                <td>
                  {environment === undefined ? (
                    <span class="dim">nobody owns them</span>
                  ) : (
                    <a href={addressOf('sessions', { environment })}>
                      <bdi>{environment}</bdi>
                    </a>
                  )}
                </td>
                <td>{count.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** Differences of totals, as long as the same replica counts. */
function useRates(stats: Stats | undefined): Rates[] {
  const before = useRef<Stats>(undefined);
  const [rates, setRates] = useState<Rates[]>([]);
  useEffect(() => {
    const last = before.current;
    before.current = stats;
    if (
      !stats ||
      !last ||
      last.traffic.since !== stats.traffic.since ||
      last.traffic.replica !== stats.traffic.replica
    )
      return;
    const seconds = (Date.parse(stats.at) - Date.parse(last.at)) / 1_000;
    if (seconds <= 0) return;
    const [now, then] = [stats.traffic.all ?? stats.traffic, last.traffic.all ?? last.traffic];
    const rate = {
      commands: (now.commands - then.commands) / seconds,
      refusals: (now.refusals - then.refusals) / seconds,
    };
    setRates((kept) => [...kept.slice(1 - KEPT), rate]);
  }, [stats]);
  return rates;
}

function Spark({ values }: { values: number[] }) {
  const most = Math.max(1, ...values);
  const points = values.map((value, i) => `${(i / (KEPT - 1)) * 200},${38 - (value / most) * 36}`).join(' ');
  return (
    <svg class="spark" viewBox="0 0 200 40" aria-hidden="true">
      <polyline points={points} />
    </svg>
  );
}
