import { type DatabaseOptions, openPool, type Share } from '#postgres';

/**
 * Connections to Postgres by what they are for, so that no kind of work waits for another one's. A replica takes at
 * most the sum of them and one for each of LEDGER_WRITERS, the lease renewer and the projector, which have
 * connections of their own (docs/limits.md has the table).
 */
const KINDS = {
  /** What is current: two queries at once, which all readers share. */
  current: { connections: 2 },
  /** All else that users read and nobody shares. */
  reads: { connections: 4 },
  /** What users write besides commands: jobs and reports. A commit may wait for a standby, and no read with it. */
  changes: { connections: 1 },
  /** Pages of the log, for streams and the feed: few at a time, or a hundred readers from the beginning take Postgres. */
  pages: { connections: 2 },
  /** A snapshot takes one while it reads a partition into memory, not while its reader takes it. */
  snapshots: { connections: 2, connectMs: 30_000, idleMs: 30_000, mostWaiting: 100 },
  /** The log's end: a look every 50 ms, what others have appended, and what the relay reads of it. */
  tail: { connections: 2 },
  /** The relay's leases. */
  relay: { connections: 2 },
  reaper: { connections: 1 },
  /** Bulk jobs, and the time partitions of receipts. */
  jobs: { connections: 1 },
  /** Tiles, and who asks for proofs. */
  proofs: { connections: 1, mostWaiting: 100 },
  health: { connections: 1, mostWaiting: 10 },
} as const satisfies Record<string, Kind>;

interface Kind {
  connections: number;
  /** Most that may wait for one; 1,000 when left out. */
  mostWaiting?: number;
  /** How long one may wait for it, in milliseconds; 3,000 when left out. */
  connectMs?: number;
  /** How long its transactions may do nothing, in milliseconds; 5,000 when left out. */
  idleMs?: number;
}

type PoolName = keyof typeof KINDS;
export type Pools = Readonly<Record<PoolName, Share>>;

/** @param tailName What the connections of the tail are called, of which every replica always has one. */
export function openPools(database: DatabaseOptions, tailName?: string): Pools {
  const opened = Object.entries<Kind>(KINDS).map(([name, { connections, mostWaiting, ...waits }]) => {
    const named = name === 'tail' ? { name: tailName } : {};
    return [name, openPool({ ...database, ...named, ...waits }, connections, mostWaiting)];
  });
  return Object.fromEntries(opened) as Record<PoolName, Share>;
}

export async function closePools(pools: Pools): Promise<void> {
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
}
