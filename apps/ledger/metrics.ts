import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** What the service tells Prometheus. Labels are bounded: no ids, no keys, no scopes. */
export class Metrics {
  readonly registry = new Registry();
  readonly batchCommands = this.histogram(
    'ledger_batch_commands',
    'Commands in one transaction',
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );
  readonly batchSeconds = this.histogram(
    'ledger_batch_seconds',
    'Time of one batch, lock to commit',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  );
  readonly faults = this.counter('ledger_faults_total', 'Faults of the machinery', ['where']);
  readonly relayed = this.counter('ledger_relay_events_total', 'Events that Kafka has acknowledged', []);
  readonly projected = this.counter('ledger_projected_events_total', 'Events that were projected here', []);
  readonly tiles = this.counter('ledger_tiles_total', 'Full tiles of 256 hashes that were made here', []);
  readonly resent = this.counter('ledger_relay_resends_total', 'Batches that were sent to Kafka again', []);

  readonly shed = this.counter(
    'ledger_requests_shed_total',
    'Requests that were refused before they were read, because commands or the event loop would be late',
    ['why'],
  );

  readonly rewinds = this.counter(
    'ledger_rewinds_total',
    "Times that the log's past was another one than this replica knew",
    [],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}
