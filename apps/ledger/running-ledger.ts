import { probeWrites, type Writes } from '#log';
import type { Ledger } from './ledger.js';

/** Whether this replica can do its work, for those who send it requests. */
export interface Readiness {
  ready: boolean;
  /** `read-only`: a standby, or told to be. Reads are answered all the same while it is that or `disk-full`. */
  postgres: Writes;
  /** Behind or stopped does not make a replica unready: commands go on, events wait in Postgres. */
  relay: 'relaying' | 'standby' | 'behind' | 'stopped' | 'none';
  /** What the operator should know of the relay. */
  relayWhy?: string;
  /** Neither does a projector that is behind or stopped: only reads of the history wait. */
  projector: 'projecting' | 'behind' | 'stopped' | 'none';
  /** What it stopped at: an event that this version does not understand. */
  projectorWhy?: string;
}

/** So long the answer to whether Postgres takes writes holds, in milliseconds. */
const WRITES_HOLD_MS = 1_000;

/** So many events are nothing to speak of. */
const BEHIND_EVENTS = 10_000;

/** The ledger as its health and its name are asked for. */
export class RunningLedger {
  private closing = false;
  private writes: { askedAt: number; answer: Promise<Writes> } | undefined;

  constructor(private readonly ledger: Ledger) {}

  /** Of Kafka, as this replica would write it. */
  get topic(): string {
    return this.ledger.topic;
  }

  /** `/ledgers/<id>`, as in its events. */
  get source(): string {
    return this.ledger.source;
  }

  /** From now on the replica says that it is not ready, so that no new requests are sent to it. */
  stop(): void {
    this.closing = true;
  }

  async readiness(): Promise<Readiness> {
    const postgres = await this.ledger.pool.query('select 1').then(
      () => this.takesWrites(),
      () => 'unavailable' as const, // the answer itself says so
    );
    const { state, partitions } = this.ledger.relay?.status() ?? { state: 'none' as const, partitions: [] };
    const why = partitions.find((partition) => partition.state === state)?.why;
    return {
      ready: postgres === 'ok' && !this.closing,
      postgres,
      relay: state,
      ...(why && { relayWhy: why }),
      ...this.projection(),
    };
  }

  private takesWrites(): Promise<Writes> {
    const now = performance.now();
    if (!this.writes || now - this.writes.askedAt > WRITES_HOLD_MS)
      this.writes = { askedAt: now, answer: probeWrites(this.ledger.pool) };
    return this.writes.answer;
  }

  private projection(): Pick<Readiness, 'projector' | 'projectorWhy'> {
    const parts = this.ledger.projector?.status();
    if (!parts) return { projector: 'none' };
    const why = parts.find((part) => part.why !== undefined)?.why;
    if (why !== undefined) return { projector: 'stopped', projectorWhy: why };
    const behind = parts.reduce((sum, part) => sum + part.behind, 0);
    return { projector: behind > BEHIND_EVENTS ? 'behind' : 'projecting' };
  }
}
