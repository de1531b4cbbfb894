import type { Duplex } from 'node:stream';
import pg from 'pg';
import { type Cleanup, execute } from '../stack.js';

const NAME = 'bench_standby';
const RELOAD_MS = 5_000;

/** What pg's types do not tell of a connection. */
interface Connection extends NodeJS.EventEmitter {
  stream: Duplex;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

/**
 * A standby as far as Postgres can tell: it streams the log over a replication connection, throws it away, and
 * says `delayMs` after its arrival that it is flushed. While it is awaited, each commit waits for it.
 */
export interface Standby {
  /** Lets every commit wait for it while `work` runs. */
  whileAwaited<T>(work: () => Promise<T>): Promise<T>;
}

/** Connects it; nobody waits for it yet. */
export async function startStandby(url: string, delayMs: number, cleanup: Cleanup): Promise<Standby> {
  const config = { connectionString: url, application_name: NAME, replication: 'true' };
  const client = new pg.Client(config as pg.ClientConfig);
  const broken = new Promise<never>((_, reject) => void client.on('error', reject));
  broken.catch(() => {}); // told to whom it concerns, below
  await client.connect();
  const { connection } = client as unknown as { connection: Connection };
  const acknowledge = (position: bigint) => {
    if (connection.stream.writable) connection.sendCopyFromChunk(statusUpdate(position));
  };
  const { rows } = await client.query('IDENTIFY_SYSTEM');
  const from: string = rows[0].xlogpos;
  // It counts as a standby once it has said how far it is.
  connection.once('replicationStart', () => acknowledge(positionOf(from)));
  connection.removeAllListeners('copyData'); // pg itself knows no answer that never ends
  connection.on('copyData', ({ chunk }: { chunk: Buffer }) => {
    const arrived = arrivedBy(chunk);
    if (arrived !== undefined) setTimeout(acknowledge, delayMs, arrived);
  });
  connection.query(`START_REPLICATION PHYSICAL ${from}`);
  cleanup.add(() => connection.stream.destroy());
  cleanup.add(() => awaitStandby(url, ''));
  return {
    async whileAwaited(work) {
      await awaitStandby(url, NAME);
      try {
        return await Promise.race([work(), broken]);
      } finally {
        await awaitStandby(url, ''); // also lets those go on who wait for one that is gone
      }
    },
  };
}

/** How far the log has arrived. XLogData is `w`, its first byte's position, the log's end, a time, then the data. */
function arrivedBy(chunk: Buffer): bigint | undefined {
  if (chunk[0] === 0x77) return chunk.readBigUInt64BE(1) + BigInt(chunk.length - 25);
  if (chunk[0] === 0x6b) return chunk.readBigUInt64BE(1); // a keepalive says how far the server has sent
  return undefined;
}

/** Of the text form of a position: two halves in hexadecimal digits. */
function positionOf(text: string): bigint {
  const [high, low] = text.split('/').map((half) => BigInt(`0x${half}`)) as [bigint, bigint];
  return (high << 32n) + low;
}

/** Standby status update: `r`, written, flushed and applied up to here, time since 2000, no answer wanted. */
function statusUpdate(flushed: bigint): Buffer {
  const message = Buffer.alloc(34);
  message.write('r');
  for (const at of [1, 9, 17]) message.writeBigUInt64BE(flushed, at);
  message.writeBigInt64BE((BigInt(Date.now()) - 946_684_800_000n) * 1_000n, 25);
  return message;
}

async function awaitStandby(url: string, name: string): Promise<void> {
  await execute(url, `alter system set synchronous_standby_names = '${name}'`);
  await execute(url, 'select pg_reload_conf()');
  const until = performance.now() + RELOAD_MS;
  while (performance.now() < until) {
    const { rows } = await execute(
      url,
      `select current_setting('synchronous_standby_names') = '${name}'
          and ('${name}' = '' or exists (select from pg_stat_replication where sync_state = 'sync')) as done`,
    );
    if (rows[0].done) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Postgres does not ${name ? 'wait' : 'stop waiting'} for the standby`);
}
