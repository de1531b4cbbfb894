import { useRef } from 'preact/hooks';
import { call } from '../data/call';
import { type Health, healthIn, readHealth } from '../data/health';
import { addressOf } from '../data/location';
import { Samples, type Stats } from '../data/samples';
import { useAccess } from '../data/use-access';
import { usePolled } from '../data/use-polled';
import { Lag } from './figures/lag';
import { Spark } from './figures/spark';
import { Reading, Trouble, when } from './parts/shown';

const EVERY_MS = 2_000;
/** Health is asked for with every so many figures. */
const HEALTH_EVERY = 5;

/** What is current, what is going on, and whether all is well: by one poll, of figures that all who look share. */
export function OverviewPage() {
  const samples = useRef(new Samples()).current;
  const health = useRef<Health>(undefined);
  const turn = useRef(0);
  const { value, trouble } = usePolled(
    async (signal) => {
      const isDue = turn.current++ % HEALTH_EVERY === 0 || health.current?.ready !== true;
      if (isDue) health.current = await readHealth(signal);
      const stats = await call('stats', { query: { maxAge: 1, limit: 1 }, signal });
      samples.add(stats);
      return { stats, health: health.current };
    },
    '',
    EVERY_MS,
  );
  if (!value) return <Reading trouble={trouble} />;
  const { stats } = value;
  const { list } = samples;
  return (
    <>
      <h1>Overview</h1>
      <HealthLine health={value.health} trouble={trouble} />
      <div class="tiles">
        <Current current={stats.current} />
        <Figure
          name="Commands a second"
          values={list.map(({ commands }) => commands)}
          note={trafficNote(stats, samples.counted)}
        />
        <Figure
          name="Refusals a second"
          values={list.map(({ refusals }) => refusals)}
          note="refused by the rules; timelines show ignored stops"
        />
        <Sync sync={stats.sync} values={list.map(({ inSync }) => inSync)} />
      </div>
      {stats.ledger && (
        <>
          <div class="halves">
            <Lag what="Kafka" lags={list.map(({ relay }) => relay)} {...relayNote(stats)} />
            <Lag what="Read models" lags={list.map(({ projection }) => projection)} />
          </div>
          <Ledger stats={stats} />
        </>
      )}
    </>
  );
}

function HealthLine({ health, trouble }: { health: Health | undefined; trouble: string | undefined }) {
  if (trouble !== undefined) return <Trouble text={trouble} />;
  const { isWell, text } = healthIn(health ?? { ready: true });
  return (
    <p class={isWell ? 'health' : 'health trouble'} role="status">
      <i class={`swatch ${isWell ? 'active' : 'bad'}`} />
      {text}
    </p>
  );
}

const count = (number: number) => number.toLocaleString('en');

function Current({ current: { total, byStatus, byEnvironment } }: { current: Stats['current'] }) {
  const { caller } = useAccess();
  return (
    <section class="card wide">
      <h2>Current sessions{caller?.ledgerWide && `, of ${caller.tenant || 'no tenant'}`}</h2>
      <div class="current">
        <div>
          <p class="big">
            <a href={addressOf('sessions')}>{count(total)}</a>
          </p>
          <ul class="plain">
            {Object.entries(byStatus).map(([status, of]) => (
              <li key={status}>
                <i class={`swatch ${status}`} />
                <a href={addressOf('sessions', { status })}>{status}</a> {count(of)}
              </li>
            ))}
          </ul>
        </div>
        <table class="shares">
          <thead>
            <tr>
              <th>Environment</th>
              <th class="number">Sessions</th>
              <th>Share</th>
            </tr>
          </thead>
          <tbody>
            {byEnvironment.map(({ environment, count: of }) => (
              <tr key={environment ?? ''}>
                <td>
                  {environment === undefined ? (
                    <a href={addressOf('sessions', { status: 'released' })}>no owner</a>
                  ) : (
                    <a class="clip" href={addressOf('sessions', { environment })} title={environment}>
                      <bdi>{environment}</bdi>
                    </a>
                  )}
                </td>
                <td class="number">{count(of)}</td>
                <td>
                  <meter min={0} max={Math.max(1, total)} value={of} aria-label={`${of} of ${total}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface Plotted {
  name: string;
  values: (number | undefined)[];
  note: string;
}

function Figure({ name, values, note }: Plotted) {
  const last = values.at(-1);
  return (
    <section class="card">
      <h2>{name}</h2>
      <p class="big">{last === undefined ? '…' : last.toFixed(1)}</p>
      <Spark values={values} name={name} />
      <p class="dim small">{note}</p>
    </section>
  );
}

function trafficNote({ replicas, traffic }: Stats, counted: number): string {
  const of = replicas && replicas.length > 1 ? `of ${counted} of ${replicas.length} replicas` : '';
  return `${traffic.all ? 'of all tenants' : 'of your tenant'}${of && ', '}${of}`;
}

function Sync({ sync, values }: { sync: Stats['sync']; values: (number | undefined)[] }) {
  const wrong = sync.outOfSync + sync.unknown;
  return (
    <section class="card">
      <h2>Reports in sync</h2>
      <p class="big">{sync.rate === undefined ? 'none' : `${(sync.rate * 100).toFixed(1)} %`}</p>
      <Spark
        values={values.map((value) => value && value * 100)}
        name="Reports in sync, in per cent"
        most={100}
      />
      <p class="dim small">
        <a href={addressOf('holders')}>Who holds what</a>
        {wrong > 0 &&
          `: ${count(wrong)} ${wrong === 1 ? 'report names' : 'reports name'} a session that is not current`}
      </p>
    </section>
  );
}

function relayNote({ relay }: Stats): { note?: string } {
  if (!relay) return {};
  if (relay.held === 0) return { note: 'No replica relays to Kafka. Events wait in Postgres.' };
  const { held, confirmed } = relay;
  return held < confirmed.length ? { note: `${held} of ${confirmed.length} partitions are relayed.` } : {};
}

function Ledger({ stats: { ledger, replicas = [], traffic } }: { stats: Stats }) {
  return (
    <section class="card">
      <h2>Ledger</h2>
      <dl>
        <dt>Log</dt>
        <dd>
          {count(ledger?.events ?? 0)} events in {ledger?.partitions} partitions
        </dd>
        <dt>Replicas</dt>
        <dd>
          {replicas.length === 0 && <span class="dim">Postgres sees none</span>}
          {replicas.map((id) => (
            <code key={id} class="replica">
              {id}
              {id === traffic.replica && ' (answered this page)'}
            </code>
          ))}
        </dd>
        <dt>Counting since</dt>
        <dd>{when(traffic.since)} UTC</dd>
        {ledger !== undefined && ledger.restores > 0 && (
          <>
            <dt>Restores</dt>
            <dd>{ledger.restores}</dd>
          </>
        )}
      </dl>
    </section>
  );
}
