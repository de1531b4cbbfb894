import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Replica } from './replica.js';

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
  readonly resent = this.counter('ledger_relay_resends_total', 'Batches that were sent to Kafka again', []);

  readonly rewinds = this.counter(
    'ledger_rewinds_total',
    "Times that the log's past was another one than this replica knew",
    [],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Figures that are read when they are asked for. */
  observe(ledger: Replica, streams: () => number, waiters: () => number): void {
    this.gauge('ledger_queue_commands', 'Commands that wait for their batch', () => ledger.writer.waiting);
    this.gauge('ledger_streams', 'Open event streams', streams);
    this.gauge('ledger_waiters', 'Readers that wait for a scope to change', waiters);
    this.projectorGauge(ledger);
    this.gauge('ledger_relay_behind_events', 'Events that Kafka does not have yet', () => {
      const heads = ledger.tail.heads();
      const partitions = ledger.relay?.status().partitions ?? [];
      return partitions
        .filter(({ state }) => state !== 'standby')
        .reduce((sum, { partition, sent }) => sum + Math.max(0, (heads[partition] ?? 0) - sent), 0);
    });
    this.relayGauges(ledger);
  }

  /** What this replica relays, and what a person is needed for. Only where this replica relays. */
  private relayGauges({ relay }: Replica): void {
    if (!relay) return;
    const { registry } = this;
    new Gauge({
      name: 'ledger_relay_partitions',
      help: 'Partitions by what this replica does with them',
      labelNames: ['state'],
      registers: [registry],
      collect() {
        for (const [state, count] of Object.entries(relay.status().counts)) this.set({ state }, count);
      },
    });
    new Gauge({
      name: 'ledger_relay_stopped_partitions',
      help: 'Partitions that are not relayed until a person has looked, by why',
      labelNames: ['code'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { code } of relay.status().partitions) if (code) this.inc({ code });
      },
    });
    new Gauge({
      name: 'ledger_relay_topic_warnings',
      help: '1 for each thing that could be better about the topic',
      labelNames: ['code'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { code } of relay.status().warnings) this.set({ code }, 1);
      },
    });
  }

  /** How far each partition's read models are behind. Only where this replica projects. */
  private projectorGauge(ledger: Replica): void {
    new Gauge({
      name: 'ledger_projection_behind_events',
      help: 'Events that are not projected yet',
      labelNames: ['partition'],
      registers: [this.registry],
      collect() {
        for (const { partition, behind } of ledger.projector?.status() ?? []) this.set({ partition }, behind);
      },
    });
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
