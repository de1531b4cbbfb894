import { randomUUID } from 'node:crypto';
import type { Naming } from '#api';
import type { Relay } from '#broker';
import type { BulkWorker } from '#jobs';
import type { LeaseRenewer } from '#leases';
import {
  type CurrentReader,
  Finder,
  History,
  identify,
  type LedgerIdentity,
  type LedgerWriter,
  LogPages,
  migrate,
  namingOf,
  REPLICA,
  readHandleKey,
  roleOf,
  Snapshots,
  Tail,
  UserScopes,
} from '#log';
import { hasUnawaitedStandbys } from '#postgres';
import type { Projector } from '#projections';
import { Checkpoints, ownSigningKey, type PartitionTrees, readSigningKeys } from '#proofs';
import type { Config } from './config.js';
import type { Faults } from './faults.js';
import { LoopTurns } from './loop-turns.js';
import type { Metrics } from './metrics.js';
import { type OpenedAccess, startAccess } from './open-access.js';
import {
  connect,
  keepReceipts,
  openBulk,
  openProjector,
  openReader,
  openReaper,
  openRelay,
  openRenewer,
  openTrees,
  openWriter,
  telling,
} from './parts.js';
import { closePools, openPools, type Pools } from './pools.js';
import type { Tracing } from './tracing.js';

const POLL_MS = 50;

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
  const told = telling(metrics, faults);
  const { identity, naming, tail, access, checkpoints, isUnawaited } = await readLedger(
    pools,
    config,
    told.of('tail'),
    told.ofWrites('access'),
  );
  const source = `/ledgers/${identity.id}`;
  tail.onRewind(() => {
    metrics.rewinds.inc();
    faults.log('warn', REWOUND);
  });
  if (isUnawaited) faults.log('warn', UNAWAITED);
  const writer = openWriter(config, { database, source, tail }, metrics, tracing, told.of('writer'));
  const reader = openReader(pools, told.of('reader'));
  const renewer = openRenewer(config, database, told.of('renewer'));
  const reaper = config.roles.has('reaper') ? openReaper(pools.reaper, writer, told.of('reaper')) : undefined;
  const bulk = openBulk(pools.jobs, writer, identity.partitions, told.ofWrites('bulk'));
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
    ? openProjector(config, { database, tail, writer }, metrics, told.of('projector'))
    : undefined;
  const { trees, tileMaker } = openTrees(
    config,
    checkpoints,
    { pools, tail, writer },
    metrics,
    told.of('tiles'),
  );
  const turns = new LoopTurns();
  const receipts = keepReceipts(pools.jobs, told.ofWrites('receipts'));

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
