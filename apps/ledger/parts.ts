import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { type KafkaPort, type KafkaSecurity, openKafka, Relay } from '#broker';
import { BulkWorker, Jobs } from '#jobs';
import { LeaseRenewer, Reaper } from '#leases';
import {
  CurrentReader,
  LedgerWriter,
  noteALostEvent,
  PostgresRelayLeases,
  rotateReceipts,
  type Tail,
  UserScopes,
} from '#log';
import { type DatabaseOptions, isReadOnly } from '#postgres';
import { Projector } from '#projections';
import { type Checkpoints, PartitionTrees, TileMaker, Tiles } from '#proofs';
import { Loop } from '#waiting';
import type { Config } from './config.js';
import type { Faults } from './faults.js';
import type { Metrics } from './metrics.js';
import type { Pools } from './pools.js';
import type { Tracing } from './tracing.js';

// How each part of a replica is set up.

const REAP_MS = 250;
const BULK_MS = 500;
const HOUR_MS = 3_600_000;

type OnFault = (error: unknown) => void;

/** Where parts tell their faults: they are counted, and an operator hears of them. */
export interface Told {
  of(where: string): OnFault;
  /** Of what writes by itself on every replica: at a standby there is nothing for it to do, and nothing wrong. */
  ofWrites(where: string): OnFault;
}

export function telling(metrics: Metrics, faults: Faults): Told {
  const of = (where: string) => (error: unknown) => {
    metrics.faults.inc({ where });
    faults.report(where, error);
  };
  return {
    of,
    ofWrites: (where) => {
      const tell = of(where);
      return (error) => {
        if (!isReadOnly(error)) tell(error);
      };
    },
  };
}

export function openWriter(
  { writers, maxBatch, maxQueue, access: { isRequired } }: Config,
  { database, source, tail }: { database: DatabaseOptions; source: string; tail: Tail },
  metrics: Metrics,
  tracing: Tracing | undefined,
  onFault: OnFault,
): LedgerWriter {
  return new LedgerWriter({
    database,
    source,
    lanes: writers,
    maxBatch,
    maxQueue,
    maxOfTenant: isRequired ? Math.ceil(maxQueue / 4) : undefined,
    deadlineMs: 5_000,
    settleMs: 5_000,
    onCommitted: (events) => tail.committed(events),
    onBatch: (batch, milliseconds) => {
      tracing?.committed(batch, milliseconds);
      metrics.batchCommands.observe(batch.length);
      metrics.batchSeconds.observe(milliseconds / 1_000);
    },
    onFault,
  });
}

export function openReader({ current, reads }: Pools, onFault: OnFault): CurrentReader {
  return new CurrentReader({
    pool: current,
    leases: reads,
    maxBatch: 512,
    queries: 2,
    maxQueue: 20_000,
    onFault,
  });
}

export function openRenewer(
  { access: { isRequired } }: Config,
  database: DatabaseOptions,
  onFault: OnFault,
): LeaseRenewer {
  const maxOfTenant = isRequired ? 12_500 : undefined;
  return new LeaseRenewer({ database, maxBatch: 1_000, maxQueue: 50_000, maxOfTenant, onFault });
}

export function openBulk(
  pool: pg.Pool,
  writer: LedgerWriter,
  partitions: number,
  onFault: OnFault,
): BulkWorker {
  return new BulkWorker({
    pool,
    jobs: new Jobs(pool),
    scopes: new UserScopes(pool),
    partitions,
    everyMs: BULK_MS,
    submit: (submission) => writer.submit(submission),
    onFault,
  });
}

/** What proves that the log is whole; a replica that projects also makes the tiles. */
export function openTrees(
  config: Config,
  checkpoints: Checkpoints,
  { pools, tail, writer }: { pools: Pools; tail: Tail; writer: LedgerWriter },
  metrics: Metrics,
  onFault: OnFault,
) {
  const trees = new PartitionTrees(pools.proofs, checkpoints);
  if (!config.roles.has('projector')) return { trees, tileMaker: undefined };
  const tileMaker = new TileMaker({
    tiles: new Tiles(pools.proofs),
    checkpoints,
    heads: () => tail.heads(),
    workedMs: () => writer.workedMs,
    onMade: (tiles) => metrics.tiles.inc(tiles),
    onFault,
  });
  tail.onRewind(() => tileMaker.forget());
  return { trees, tileMaker };
}

export function connect(brokers: readonly string[], security: KafkaSecurity, faults: Faults): KafkaPort {
  return openKafka({
    brokers: [...brokers],
    ...security,
    log: (level, message) => faults.log(level, message),
  });
}

export function openRelay(
  kafka: KafkaPort,
  config: Config,
  { tail, pool, source, listedBrokers }: { tail: Tail; pool: pg.Pool; source: string; listedBrokers: number },
  metrics: Metrics,
  faults: Faults,
): Relay {
  const onError = () => metrics.faults.inc({ where: 'relay' });
  return new Relay({
    feed: tail,
    leases: new PostgresRelayLeases(pool),
    kafka,
    topic: config.topic,
    replicationFactor: config.kafkaReplicas,
    listedBrokers,
    log: (level, line) => faults.log(level, line),
    hooks: {
      onSent: (_, count) => metrics.relayed.inc(count),
      onResend: () => metrics.resent.inc(),
      onError,
      onBeyond: (_, event) => {
        noteALostEvent(pool, source, event, tail.restores).catch((error) => {
          onError();
          faults.report('relay', error); // it is found again at the next look
        });
      },
    },
  });
}

export function openProjector(
  { projectorShare: share }: Config,
  { database, tail, writer }: { database: DatabaseOptions; tail: Tail; writer: LedgerWriter },
  metrics: Metrics,
  onFault: OnFault,
): Projector {
  const workedMs = () => writer.workedMs;
  const onProjected = (events: number) => metrics.projected.inc(events);
  return new Projector({ database, tail, share, workedMs, onProjected, onFault });
}

export function openReaper(pool: pg.Pool, writer: LedgerWriter, onFault: OnFault): Reaper {
  return new Reaper({
    pool,
    everyMs: REAP_MS,
    settle: async (sessionId, partition) => {
      const command = { type: 'SettleSession', principal: 'reaper', operate: true, sessionId } as const;
      await writer.submit({ command, tenant: undefined, partition, commandId: randomUUID() });
    },
    onFault,
  });
}

/** Time partitions for idempotency receipts: made ahead at start and every hour. */
export function keepReceipts(pool: pg.Pool, onFault: OnFault): Loop {
  return new Loop({ everyMs: HOUR_MS, round: () => rotateReceipts(pool), onFault });
}
