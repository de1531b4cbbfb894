import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Naming } from '#api';
import { type KafkaPort, type KafkaSecurity, openKafka, Relay } from '#broker';
import { BulkWorker, Jobs } from '#jobs';
import { LeaseRenewer, Reaper } from '#leases';
import {
  CurrentReader,
  Finder,
  History,
  identify,
  type LedgerIdentity,
  LedgerWriter,
  LogPages,
  migrate,
  namingOf,
  noteALostEvent,
  PostgresRelayLeases,
  REPLICA,
  readHandleKey,
  roleOf,
  rotateReceipts,
  Snapshots,
  Tail,
  UserScopes,
} from '#log';
import { type DatabaseOptions, hasUnawaitedStandbys, isReadOnly } from '#postgres';
import { Projector } from '#projections';
import { Checkpoints, ownSigningKey, PartitionTrees, readSigningKeys, TileMaker, Tiles } from '#proofs';
import { Loop } from '#waiting';
import type { Config } from './config.js';
import type { Faults } from './faults.js';
import { LoopTurns } from './loop-turns.js';
import type { Metrics } from './metrics.js';
import { type OpenedAccess, startAccess } from './open-access.js';
import { closePools, openPools, type Pools } from './pools.js';
import type { Tracing } from './tracing.js';

const POLL_MS = 50;
const REAP_MS = 250;
const BULK_MS = 500;
const HOUR_MS = 3_600_000;

const REWOUND =
  'The log in Postgres has a different history than this replica has seen: Postgres failed over or was restored. The ' +
  'replica has dropped its caches and ended all streams (docs/running.md, Failover and restore).';
const UNAWAITED =
  'Postgres has standbys, but commits wait for none of them: a failover may lose acknowledged commands. Name them in ' +
  'synchronous_standby_names.';

/** The parts of one running replica. */
export interface Replica {
  /** It names the replica while it runs, and its connections to the log's end. */
  id: string;
  startedAt: string;
  identity: LedgerIdentity;
  naming: Naming;
  /** `/ledgers/<id>`: where its events say that they are from. */
  source: string;
  pools: Pools;
  writer: LedgerWriter;
  reader: CurrentReader;
  renewer: LeaseRenewer;
  history: History;
  finder: Finder;
  scopes: UserScopes;
  trees: PartitionTrees;
  /** Who may ask it. */
  access: OpenedAccess;
  bulk: BulkWorker;
  tail: Tail;
  pages: LogPages;
  turns: LoopTurns;
  /** Of Kafka, whether there is one or not. */
  topic: string;
  /** Absent when this replica has no such role, or there is no Kafka to relay to. */
  relay: Relay | undefined;
  /** Absent when this replica has no such role. */
  projector: Projector | undefined;
  /**
   * Begins what works by itself. Not before everything is loaded: that keeps the event loop busy, on a busy machine for
   * longer than a connection may take.
   */
  start(): void;
  /** Ends what needs the database, after the last request was answered. */
  close(): Promise<void>;
}

/** Where the parts outside this process are. */
export interface Addresses {
  databaseUrl: string;
  /** Empty: there is no Kafka. */
  kafkaBrokers: readonly string[];
  /** Resolves when Kafka can be asked: one that was just started takes seconds. Absent: at once. */
  kafkaUp?: Promise<void> | undefined;
}

/** Opens a replica of the ledger. Throws when Postgres cannot be reached or holds no ledger of this version. */
export async function openReplica(
  config: Config,
  { databaseUrl, kafkaBrokers, kafkaUp }: Addresses,
  faults: Faults,
  metrics: Metrics,
  tracing?: Tracing,
): Promise<Replica> {
  const { partitions, handleKeyFile } = config;
  if (config.migrate) await migrate({ url: databaseUrl, partitions, handleKeyFile });
  const database = {
    url: databaseUrl,
    role: config.databaseRole ?? (await roleOf({ url: databaseUrl }, 'service')),
  };
  const id = randomUUID().slice(0, 8);
  const pools = openPools(database, REPLICA + id);
  const fault = (where: string) => (error: unknown) => {
    metrics.faults.inc({ where });
    faults.report(where, error);
  };
  // Of what writes by itself on every replica: at a standby there is nothing for it to do, and nothing wrong.
  const faultOfWrites = (where: string) => {
    const tell = fault(where);
    return (error: unknown) => {
      if (!isReadOnly(error)) tell(error);
    };
  };

  const { identity, naming, tail, access, checkpoints, isUnawaited } = await readLedger(
    pools,
    config,
    fault('tail'),
    faultOfWrites('access'),
  );
  const source = `/ledgers/${identity.id}`;
  tail.onRewind(() => {
    metrics.rewinds.inc();
    faults.log('warn', REWOUND);
  });
  if (isUnawaited) faults.log('warn', UNAWAITED);
  const writer = new LedgerWriter({
    database,
    source,
    lanes: config.writers,
    maxBatch: config.maxBatch,
    maxQueue: config.maxQueue,
    maxOfTenant: config.access.isRequired ? Math.ceil(config.maxQueue / 4) : undefined,
    deadlineMs: 5_000,
    settleMs: 5_000,
    onCommitted: (events) => tail.committed(events),
    onBatch: (batch, milliseconds) => {
      tracing?.committed(batch, milliseconds);
      metrics.batchCommands.observe(batch.length);
      metrics.batchSeconds.observe(milliseconds / 1_000);
    },
    onFault: fault('writer'),
  });
  const reader = new CurrentReader({
    pool: pools.current,
    leases: pools.reads,
    maxBatch: 512,
    queries: 2,
    maxQueue: 20_000,
    onFault: fault('reader'),
  });
  const renewer = new LeaseRenewer({
    database,
    maxBatch: 1_000,
    maxQueue: 50_000,
    maxOfTenant: config.access.isRequired ? 12_500 : undefined,
    onFault: fault('renewer'),
  });
  const reaper = config.roles.has('reaper') ? openReaper(pools.reaper, writer, fault('reaper')) : undefined;
  const bulk = new BulkWorker({
    pool: pools.jobs,
    jobs: new Jobs(pools.jobs),
    scopes: new UserScopes(pools.jobs),
    partitions: identity.partitions,
    everyMs: BULK_MS,
    submit: (submission) => writer.submit(submission),
    onFault: faultOfWrites('bulk'),
  });
  const kafka =
    config.roles.has('relay') && kafkaBrokers.length > 0
      ? connect(kafkaBrokers, config.kafkaSecurity, faults)
      : undefined;
  const relay =
    kafka &&
    openRelay(
      kafka,
      config,
      { tail, pool: pools.relay, source, listedBrokers: kafkaBrokers.length },
      metrics,
      faults,
    );
  const projector = config.roles.has('projector')
    ? openProjector(config, { database, tail, writer }, metrics, fault('projector'))
    : undefined;
  const { trees, tileMaker } = openTrees(
    config,
    checkpoints,
    { pools, tail, writer },
    metrics,
    fault('tiles'),
  );
  const turns = new LoopTurns();
  const receipts = keepReceipts(pools.jobs, faultOfWrites('receipts'));

  return {
    id,
    startedAt: new Date().toISOString(),
    identity,
    naming,
    source,
    pools,
    writer,
    reader,
    renewer,
    history: new History(pools.reads, new Snapshots(pools.snapshots, undefined, () => turns.next())),
    finder: new Finder(pools.reads),
    scopes: new UserScopes(pools.reads),
    trees,
    access,
    bulk,
    tail,
    pages: new LogPages(tail, pools.pages),
    turns,
    topic: config.topic,
    relay,
    projector,
    start() {
      for (const one of [bulk, reaper, projector, tileMaker, receipts]) one?.start();
      const startRelay = () => relay?.start();
      // One that does not come up ends the service.
      if (kafkaUp) kafkaUp.then(startRelay, () => {});
      else startRelay();
    },
    async close() {
      await receipts.close();
      await tileMaker?.close();
      await projector?.close();
      await bulk.close();
      await reaper?.close();
      await renewer.close();
      await writer.close();
      await relay?.stop(3_000);
      await kafka?.close();
      tail.close();
      await access.close();
      await closePools(pools);
    },
  };
}

/** What proves that the log is whole; a replica that projects also makes the tiles. */
function openTrees(
  config: Config,
  checkpoints: Checkpoints,
  { pools, tail, writer }: Pick<Replica, 'pools' | 'tail' | 'writer'>,
  metrics: Metrics,
  onFault: (error: unknown) => void,
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

/** What has to be known before anything else can work. Where that fails, nothing is left open: the caller may try again. */
async function readLedger(
  pools: Pools,
  { access: accessConfig, origin, auditKeyFiles, ownAuditKey, handleKeyFile }: Config,
  onTailFault: (error: unknown) => void,
  onAccessFault: (error: unknown) => void,
) {
  let tail: Tail | undefined;
  let access: OpenedAccess | undefined;
  try {
    const identity = await identify(pools.tail);
    const naming = namingOf(identity, await readHandleKey(pools.tail, identity, handleKeyFile));
    access = await startAccess(accessConfig, pools, onAccessFault);
    tail = new Tail({
      ...{ pool: pools.tail, others: Object.values(pools), partitions: identity.partitions, pollMs: POLL_MS },
      onFault: onTailFault,
      onAccess: access.looked,
    });
    await tail.start();
    const name = origin ?? `session-ledger/${identity.id}`;
    const signingKeys = auditKeyFiles
      ? readSigningKeys(auditKeyFiles, name)
      : [ownAuditKey].flatMap((file) => file ?? []).map((file) => ownSigningKey(file, name));
    const checkpoints = new Checkpoints(pools.proofs, name, signingKeys);
    const isUnawaited = await hasUnawaitedStandbys(pools.tail);
    return { identity, naming, tail, access, checkpoints, isUnawaited };
  } catch (error) {
    tail?.close();
    await access?.close();
    await closePools(pools);
    throw error;
  }
}

function connect(brokers: readonly string[], security: KafkaSecurity, faults: Faults): KafkaPort {
  return openKafka({
    brokers: [...brokers],
    ...security,
    log: (level, message) => faults.log(level, message),
  });
}

function openRelay(
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

function openProjector(
  { projectorShare: share }: Config,
  { database, tail, writer }: { database: DatabaseOptions; tail: Tail; writer: LedgerWriter },
  metrics: Metrics,
  onFault: (error: unknown) => void,
): Projector {
  const workedMs = () => writer.workedMs;
  const onProjected = (events: number) => metrics.projected.inc(events);
  return new Projector({ database, tail, share, workedMs, onProjected, onFault });
}

function openReaper(pool: pg.Pool, writer: LedgerWriter, onFault: (error: unknown) => void): Reaper {
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
function keepReceipts(pool: pg.Pool, onFault: (error: unknown) => void): Loop {
  return new Loop({ everyMs: HOUR_MS, round: () => rotateReceipts(pool), onFault });
}
