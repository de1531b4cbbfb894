import type pg from 'pg';
import type { OutOfSync, OutOfSyncPage, Report, ReportPlace, SyncFigures } from '#api';
import { type Given, query, type Result, rowOf, type Statement, smallints, texts, uuids } from '#postgres';
import type { ScopeKey } from '#session';
import { ask, refuseRead, writeError } from '../errors.js';
import { scopeIdOf } from '../ids.js';
import { statement } from '../statements.js';

const saveReports = statement('save_reports');
const dropReports = statement('drop_reports');
const withdrawReports = statement('withdraw_reports');
const readSync = statement('read_sync');
const readOutOfSync = statement('read_out_of_sync');

/** Most reports that are kept for a tenant: one for each consumer and scope. The oldest are forgotten. */
const MOST_REPORTS = 50_000;

/** A report counts for a day after it was made or renewed last, in seconds. */
const REPORT_SECONDS = 86_400;

const FROM_THE_FIRST: ReportPlace = {
  consumer: '',
  partition: -1,
  scopeId: '00000000-0000-0000-0000-000000000000',
};

/** What consumers hold, and how it agrees with what is current; reports that were not renewed in time do not count. Rejects with LogError `unavailable`. */
export class Reports {
  constructor(
    private readonly pool: pg.Pool,
    private readonly most = MOST_REPORTS,
    private readonly seconds = REPORT_SECONDS,
  ) {}

  /** Keeps reports, of several about one consumer and scope the last. Says how many old ones were forgotten for them. */
  async take(tenant: string, reports: readonly Report[]): Promise<{ taken: number; dropped: number }> {
    const byPlace = new Map(reports.map((one) => [`${one.consumer} ${one.scopeKey}`, one]));
    const rows = [...byPlace.values()];
    const values = [
      tenant,
      texts(rows, ({ consumer }) => consumer),
      smallints(rows, ({ partition }) => partition),
      uuids(rows, ({ scopeKey }) => scopeIdOf(scopeKey)),
      texts(rows, ({ scopeKey }) => scopeKey),
      uuids(rows, ({ sessionId }) => sessionId),
    ] as const;
    const saved = rowOf(await this.write(saveReports, values));
    if (saved.new === 0) return { taken: rows.length, dropped: 0 };
    const { dropped } = rowOf(await this.write(dropReports, [tenant, this.most, this.seconds]));
    return { taken: rows.length, dropped };
  }

  /** Takes a consumer's reports back, all of them or that about one scope. Says how many there were. */
  async withdraw(
    tenant: string,
    consumer: string,
    scope?: { partition: number; scopeKey: ScopeKey },
  ): Promise<number> {
    const values = [tenant, consumer, scope?.partition, scope && scopeIdOf(scope.scopeKey)] as const;
    return (await this.write(withdrawReports, values)).rowCount ?? 0;
  }

  /** A tenant's figures by consumer, those with the most reports first. */
  async figures(tenant: string, consumer?: string): Promise<SyncFigures[]> {
    const { rows } = await ask(this.pool, readSync, [tenant, consumer, this.seconds]);
    return rows.map((row) => ({
      consumer: row.consumer,
      inSync: row.in_sync,
      outOfSync: row.out_of_sync,
      unknown: row.unknown,
    }));
  }

  /** A tenant's reports that are not in sync, in the order of consumer and place; where to go on when there are more. */
  async outOfSync(
    tenant: string,
    { consumer, after = FROM_THE_FIRST, limit }: OutOfSyncPage,
  ): Promise<{ list: OutOfSync[]; next?: ReportPlace }> {
    const place = [after.consumer, after.partition, after.scopeId] as const;
    const values = [tenant, consumer, ...place, limit, this.seconds] as const;
    const { rows } = await ask(this.pool, readOutOfSync, values);
    const last = rows.length === limit && rows.at(-1);
    return {
      list: rows.map((row) => ({
        consumer: row.consumer,
        scopeKey: row.scope_key,
        state: row.known ? 'out-of-sync' : 'unknown',
        sessionId: row.session_id,
        ...(row.current_id && { currentId: row.current_id }),
        since: row.since,
        reportedAt: row.reported_at,
      })),
      ...(last && {
        next: { consumer: last.consumer, partition: last.partition, scopeId: last.scope_id },
      }),
    };
  }

  /** Rejects with `unavailable` where nothing was sent, and `unknown-outcome` where no answer came. */
  private async write<Row, Values>(
    statement: Statement<Row, Values>,
    ...values: Given<Values>
  ): Promise<Result<Row>> {
    const client = await this.pool.connect().catch(refuseRead);
    let failed = true;
    try {
      const result = await query(client, statement, ...values);
      failed = false;
      return result;
    } catch (error) {
      throw writeError(error);
    } finally {
      client.release(failed);
    }
  }
}
