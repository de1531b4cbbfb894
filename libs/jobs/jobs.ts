import type pg from 'pg';
import { isSameRequest, type JobCounts, type JobOrder, type Place, type ReceiptKey } from '#api';
import { ask, LogError, readError, writeError } from '#log';
import { query, type RowOf } from '#postgres';
import type { Epoch, Instant, Selection, SessionId } from '#session';
import { statement } from './statements.js';

const insertJob = statement('insert_job');
const findJob = statement('find_job');
const readJob = statement('read_job');
const listJobs = statement('list_jobs');
const takeJob = statement('take_job');
const keepJob = statement('keep_job');
const savePage = statement('save_page');
const saveStep = statement('save_step');
const forgetJobs = statement('forget_jobs');

/** Most open jobs of a tenant; the next one is answered `overloaded`. */
export const MOST_OPEN_JOBS = 16;
/** How long a worker may be silent before another one takes its job over. */
const LEASE_SECONDS = 5;

/** A session under the epoch with which it was read. */
export interface JobItem {
  sessionId: SessionId;
  epoch: Epoch;
}

export interface Job extends JobOrder {
  id: string;
  /** Of the lease: rises with every step. */
  epoch: number;
  counts: JobCounts;
  createdAt: Instant;
  updatedAt: Instant;
  finishedAt?: Instant;
  /** What comes after it has not been looked at; its partition is the number of those that are done. */
  after: Place;
  /** What is being dealt with. */
  page: JobItem[];
}

/** Jobs in Postgres. Rejects with LogError `unavailable` unless it says otherwise. */
export class Jobs {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * A new job, or the one that the same key has made before; undefined when the key was used for something
   * else. Rejects with `overloaded` when the tenant has MOST_OPEN_JOBS, and with `unknown-outcome` when the answer to
   * the commit was lost.
   */
  async create(order: JobOrder, receipt?: ReceiptKey): Promise<Job | undefined> {
    const made = await this.insert(order, receipt);
    if (made) return made;
    const [found] = receipt ? (await ask(this.pool, findJob, [receipt.key])).rows : [];
    if (!found) throw new LogError('overloaded', 'Too many jobs are open already.');
    const isSame = receipt && isSameRequest((found.fingerprint ?? '').replaceAll('-', ''), receipt);
    return isSame ? jobOf(found) : undefined;
  }

  async read(id: string, tenant: string): Promise<Job | undefined> {
    const { rows } = await ask(this.pool, readJob, [id, tenant]);
    return rows[0] && jobOf(rows[0]);
  }

  /** A tenant's, the newest first: those that were ordered before the one with this id. */
  async list(tenant: string, before: string | undefined, limit: number): Promise<Job[]> {
    const { rows } = await ask(this.pool, listJobs, [tenant, before, limit]);
    return rows.map(jobOf);
  }

  /** An open job that nobody else works on, for LEASE_SECONDS; undefined when there is none. */
  async take(): Promise<Job | undefined> {
    const { rows } = await ask(this.pool, takeJob, [LEASE_SECONDS]);
    return rows[0] && jobOf(rows[0]);
  }

  /** Writes down what is dealt with next. False when another worker has the job: stop at once. */
  async savePage({ id, epoch }: Job, page: readonly JobItem[], after: Place): Promise<boolean> {
    const values = [id, epoch, JSON.stringify(page), after.partition, after.scopeId, LEASE_SECONDS] as const;
    return (await ask(this.pool, savePage, values)).rowCount === 1;
  }

  /** For LEASE_SECONDS more. False when another worker has the job: stop at once. */
  async keep({ id, epoch }: Job): Promise<boolean> {
    return (await ask(this.pool, keepJob, [id, epoch, LEASE_SECONDS])).rowCount === 1;
  }

  /** Adds what became of the page, and gives the job back. False when another worker has it. */
  async saveStep({ id, epoch }: Job, counts: JobCounts, isLast: boolean): Promise<boolean> {
    const { examined, changed, skipped, failed } = counts;
    const values = [id, epoch, examined, changed, skipped, failed, isLast] as const;
    return (await ask(this.pool, saveStep, values)).rowCount === 1;
  }

  /** Drops jobs that were finished 30 days ago. */
  async forget(): Promise<void> {
    await ask(this.pool, forgetJobs);
  }

  private async insert(order: JobOrder, receipt: ReceiptKey | undefined): Promise<Job | undefined> {
    const { tenant, principal, action, reason, select } = order;
    const [userId, environment, instance] =
      'userId' in select ? [select.userId] : [undefined, select.environment, select.instance];
    const selected = [userId, environment, instance] as const;
    const key = [receipt?.key, receipt?.fingerprint] as const;
    const values = [tenant, principal, action, reason, ...selected, ...key, MOST_OPEN_JOBS] as const;
    let client: pg.PoolClient | undefined;
    let isWhole = false;
    let isSent = false;
    try {
      client = await this.pool.connect();
      await client.query('begin');
      await client.query("select pg_advisory_xact_lock(hashtext('session-ledger jobs'))");
      const { rows } = await query(client, insertJob, values);
      isSent = true;
      await client.query('commit');
      isWhole = true;
      return rows[0] && jobOf(rows[0]);
    } catch (error) {
      throw isSent ? writeError(error) : readError(error);
    } finally {
      client?.release(!isWhole);
    }
  }
}

type JobRow = RowOf<typeof readJob>;

function jobOf(row: JobRow): Job {
  const { id, epoch, tenant, principal, action, reason } = row;
  const { examined, changed, skipped, failed } = row;
  return {
    id,
    epoch,
    tenant,
    principal,
    select: selectionOf(row),
    action: action as JobOrder['action'],
    reason,
    counts: { examined, changed, skipped, failed },
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    ...(row.finished_at && { finishedAt: row.finished_at.toISOString() }),
    after: { partition: row.partition, scopeId: row.after_scope.replaceAll('-', '') },
    page: JSON.parse(row.page),
  };
}

function selectionOf({ user_id: userId, environment, instance }: JobRow): Selection {
  if (userId !== null) return { userId };
  return { environment: environment ?? '', ...(instance !== null && { instance }) };
}
