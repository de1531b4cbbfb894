import { randomUUID } from 'node:crypto';
import type { Answer, Submission } from '#api';
import type { LedgerWriter } from '#log';
import { type DatabaseOptions, openPool } from '#postgres';
import { type LeaseTerms, type Session, scopeKey } from '#session';
import type { TestLedger } from '../../log/testing/ledger.js';
import { readLog, type StoredEvent } from '../../log/testing/stored-log.js';
import { forSession, newPlace, type Place, sessionOf, start } from '../../log/testing/submissions.js';
import { Reaper } from '../reaper.js';
import { LeaseRenewer } from '../renewer.js';

/** Another service that keeps leases: what renews them and, unless it has none, a reaper. */
export interface Replica {
  writer: LedgerWriter;
  /** Faults of the renewer and the reaper. */
  faults: unknown[];
  renew(session: Session): Promise<Renewed>;
  submit(submission: Submission): Promise<Answer>;
  startReaper(everyMs?: number): Reaper;
  close(): Promise<void>;
}

/** What an owner that renews is told. */
export type Renewed = { until: string } | { refused: string };

export function openReplica(ledger: TestLedger, database: Partial<DatabaseOptions> = {}): Replica {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const options = { url: ledger.database.url, role: ledger.role, ...database };
  const writer = ledger.writer({ database: options, onFault });
  const renewer = new LeaseRenewer({ database: options, maxBatch: 1_000, maxQueue: 50_000, onFault });
  const pool = openPool(options, 4);
  const reapers: Reaper[] = [];
  const submit = (submission: Submission) => writer.submit({ ...submission });
  return {
    writer,
    faults,
    submit,
    async renew({ sessionId, epoch, principal }) {
      for (let tries = 0; tries < 3; tries++) {
        const until = await renewer.renew({
          sessionId,
          epoch,
          by: { tenant: 'acme', principal, operate: false },
        });
        if (until !== undefined) return { until };
        const why = await submit(
          forSession({ sessionId, epoch, principal } as Session, { type: 'RenewLease' }),
        );
        if (why.kind === 'refused') return { refused: why.refusal.code };
        if (why.kind !== 'accepted') return { refused: why.kind };
      }
      throw new Error('the lease cannot be renewed, and nobody says why');
    },
    startReaper(everyMs = 250) {
      const settle = async (sessionId: string, partition: number) => {
        const command = { type: 'SettleSession', principal: 'reaper', operate: true, sessionId } as const;
        await submit({ command, tenant: undefined, partition, commandId: randomUUID() });
      };
      const reaper = new Reaper({ pool, everyMs, settle, onFault });
      reaper.start();
      reapers.push(reaper);
      return reaper;
    },
    async close() {
      await Promise.all(reapers.map((reaper) => reaper.close()));
      await renewer.close();
      await writer.close();
      await pool.end();
    },
  };
}

/** A lease of a second with a grace of one, unless said. */
export function terms(more: Partial<LeaseTerms> = {}): { lease: LeaseTerms } {
  return { lease: { seconds: 1, graceSeconds: 1, renewOn: 'heartbeat', onLapse: 'release', ...more } };
}

/** Starts a session with a lease, in a scope of its own unless said. */
export async function startLeased(
  { submit }: Replica,
  ledger: TestLedger,
  more: Partial<LeaseTerms> = {},
  place: Place = newPlace(ledger.partitions),
): Promise<Session> {
  return sessionOf(await submit(start(place, terms(more))));
}

export interface StoredLease {
  sessionId: string;
  epoch: number;
  until: Date;
  checkAt: Date;
  renewable: boolean;
}

export async function leaseOf(
  { pool }: TestLedger,
  { sessionId }: Session,
): Promise<StoredLease | undefined> {
  const { rows } = await pool.query(
    'select session_id as "sessionId", epoch, until, check_at as "checkAt", renewable from ledger.leases where session_id = $1',
    [sessionId],
  );
  return rows[0];
}

/** A session's events, in order. */
export async function eventsOf({ pool }: TestLedger, { sessionId, scope }: Session): Promise<StoredEvent[]> {
  const events = await readLog(pool, scopeKey({ tenant: 'acme', ...scope }));
  return events.filter(({ bytes }) => bytes.includes(sessionId));
}

/** The session's event of this type, once it is there. */
export async function untilEvent(
  ledger: TestLedger,
  session: Session,
  type: string,
  withinMs: number,
): Promise<StoredEvent> {
  const end = performance.now() + withinMs;
  for (;;) {
    const events = await eventsOf(ledger, session);
    const found = events.find((event) => event.type === type);
    if (found) return found;
    if (performance.now() > end) throw new Error(`no ${type} among ${events.map((event) => event.type)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
