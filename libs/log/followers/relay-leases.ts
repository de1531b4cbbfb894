import type pg from 'pg';
import { query } from '#postgres';
import type { RelayLease, RelayLeases } from '../feed.port.js';
import { statement } from '../statements.js';

const acquireRelay = statement('acquire_relay');
const confirmRelay = statement('confirm_relay');
const restartRelay = statement('restart_relay');
const findOtherRelay = statement('find_other_relay');
const releaseRelay = statement('release_relay');

/**
 * Relay leases in Postgres. To acquire one is a write, and `synchronous_commit` is never relaxed: once it is
 * committed, everything that its holder can read is as durable as that write.
 */
export class PostgresRelayLeases implements RelayLeases {
  constructor(private readonly pool: pg.Pool) {}

  async acquire(partition: number, holder: string, seconds: number): Promise<RelayLease | undefined> {
    const { rows } = await query(this.pool, acquireRelay, [partition, holder, seconds]);
    return rows[0] && { partition, epoch: rows[0].epoch, confirmed: rows[0].confirmed };
  }

  async confirm(lease: RelayLease, holder: string, sequence: number, seconds: number): Promise<boolean> {
    const values = [lease.partition, holder, lease.epoch, seconds, sequence] as const;
    const { rowCount } = await query(this.pool, confirmRelay, values);
    return rowCount === 1;
  }

  async startOver(lease: RelayLease, holder: string, seconds: number): Promise<RelayLease | undefined> {
    const values = [lease.partition, holder, lease.epoch, seconds] as const;
    const { rows } = await query(this.pool, restartRelay, values);
    return rows[0] && { partition: lease.partition, epoch: rows[0].epoch, confirmed: 0 };
  }

  async heldByAnother(partition: number, holder: string): Promise<number | undefined> {
    return (await query(this.pool, findOtherRelay, [partition, holder])).rows[0]?.epoch;
  }

  async release(lease: RelayLease, holder: string): Promise<void> {
    await query(this.pool, releaseRelay, [lease.partition, holder, lease.epoch]);
  }
}
