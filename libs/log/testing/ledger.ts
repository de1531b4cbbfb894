import type pg from 'pg';
import { type DatabaseOptions, openPool } from '#postgres';
import { createDatabase, type TestDatabase } from '../../../test/support/database.js';
import { identify, LedgerWriter, migrate, roleOf, rotateReceipts } from '../index.js';
import { Tail } from '../read/tail.js';
import type { WriterOptions } from '../write/writer.js';

/** A ledger of its own. */
export interface TestLedger {
  database: TestDatabase;
  partitions: number;
  /** As which the service works in it. */
  role: string;
  /** CloudEvents source of its events. */
  source: string;
  /** Connections of the schema's owner, who may look at everything. */
  pool: pg.Pool;
  /** One more replica's writer, working as the service's role. */
  writer(options?: TestWriterOptions): LedgerWriter;
  /** One more replica's tail. */
  tail(options?: { pool?: pg.Pool; pollMs?: number; onFault?: (error: unknown) => void }): Promise<Tail>;
  /** Connections of the service's role, through `url` when given. */
  servicePool(max: number, options?: Partial<DatabaseOptions>): pg.Pool;
  /** Has something closed with it, before all that it gave out until now. */
  onClose(step: () => Promise<void>): void;
  /** Closes everything that it gave out. Throws when a part reported a fault that its test did not expect. */
  close(): Promise<void>;
}

type TestWriterOptions = Partial<Omit<WriterOptions, 'database'>> & {
  database?: Partial<DatabaseOptions>;
};

export async function openTestLedger(partitions = 4, server?: { url: string }): Promise<TestLedger> {
  const database = server ? { ...server, drop: async () => undefined } : await createDatabase();
  await migrate({ url: database.url, partitions });
  const pool = openPool({ url: database.url }, 4);
  await rotateReceipts(pool);
  const { id } = await identify(pool);
  const source = `/ledgers/${id}`;
  const role = await roleOf({ url: database.url }, 'service');
  const service: DatabaseOptions = { url: database.url, role };
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const closing: (() => Promise<void>)[] = [() => pool.end()];

  return {
    database,
    partitions,
    role,
    source,
    pool,
    writer({ database: changed, ...options } = {}) {
      const writer = new LedgerWriter({
        database: { ...service, ...changed },
        source,
        lanes: 2,
        maxBatch: 512,
        maxQueue: 100_000,
        deadlineMs: 10_000,
        settleMs: 5_000,
        onCommitted: () => undefined,
        onBatch: () => undefined,
        onFault,
        ...options,
      });
      closing.unshift(() => writer.close());
      return writer;
    },
    async tail(options = {}) {
      const tail = new Tail({ pool, partitions, pollMs: 20, onFault, ...options });
      closing.unshift(async () => tail.close());
      await tail.start();
      return tail;
    },
    servicePool(max, options) {
      const opened = openPool({ ...service, ...options }, max);
      closing.push(() => opened.end());
      return opened;
    },
    onClose(step) {
      closing.unshift(step);
    },
    async close() {
      for (const one of closing) await one();
      await database.drop();
      if (faults.length > 0) throw new AggregateError(faults, `unexpected faults, the first: ${faults[0]}`);
    },
  };
}
