import { Counter, Gauge, type Registry } from 'prom-client';
import type { Metrics } from './metrics.js';
import type { Pools } from './pools.js';
import type { Replica } from './replica.js';

/** Figures that are read when they are asked for. */
export function observe(
  { registry }: Metrics,
  ledger: Replica,
  streams: () => number,
  waiters: () => number,
  standbyLag: () => Promise<number>,
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('ledger_queue_commands', 'Commands that wait for their batch', () => ledger.writer.waiting);
  gauge(
    'ledger_held_partitions',
    'Partitions whose heads somebody else holds for long: their commands wait',
    () => ledger.writer.heldPartitions,
  );
  gauge('ledger_held_commands', 'Commands that wait for those partitions', () => ledger.writer.heldCommands);
  gauge('ledger_streams', 'Open event streams', streams);
  gauge('ledger_waiters', 'Readers that wait for a scope to change', waiters);
  new Gauge({
    name: 'ledger_standby_lag_seconds',
    help: 'How old what a standby shows is; 0 where Postgres is none',
    registers: [registry],
    async collect() {
      this.set(await standbyLag());
    },
  });
  poolGauges(registry, ledger.pools);
  projectorGauge(registry, ledger);
  gauge('ledger_relay_behind_events', 'Events that Kafka does not have yet', () => {
    const heads = ledger.tail.heads();
    const partitions = ledger.relay?.status().partitions ?? [];
    return partitions
      .filter(({ state }) => state !== 'standby')
      .reduce((sum, { partition, sent }) => sum + Math.max(0, (heads[partition] ?? 0) - sent), 0);
  });
  relayGauges(registry, ledger);
}

/** Who has connections to Postgres, who waits for one, and who got none. */
function poolGauges(registry: Registry, pools: Pools): void {
  const labelNames = ['pool'];
  const registers = [registry];
  const gauge = (name: string, help: string, read: (pool: Pools[keyof Pools]) => number) =>
    new Gauge({
      ...{ name, help, labelNames, registers },
      collect() {
        for (const [pool, share] of Object.entries(pools)) this.set({ pool }, read(share));
      },
    });
  gauge('ledger_pool_size', 'Most connections of a pool', ({ options }) => options.max);
  gauge('ledger_pool_in_use', 'Connections that are in use', ({ inUse }) => inUse);
  gauge('ledger_pool_waiting', 'Those who wait for a connection', ({ waitingCount }) => waitingCount);
  new Counter({
    name: 'ledger_pool_refused_total',
    help: 'Those who got no connection, because too many waited or it took too long',
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const [pool, { refused }] of Object.entries(pools)) this.inc({ pool }, refused);
    },
  });
}

/** What this replica relays, and what a person is needed for. Only where this replica relays. */
function relayGauges(registry: Registry, { relay }: Replica): void {
  if (!relay) return;
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
function projectorGauge(registry: Registry, ledger: Replica): void {
  new Gauge({
    name: 'ledger_projection_behind_events',
    help: 'Events that are not projected yet',
    labelNames: ['partition'],
    registers: [registry],
    collect() {
      for (const { partition, behind } of ledger.projector?.status() ?? []) this.set({ partition }, behind);
    },
  });
}
