import type { RelayState, StopCode } from '#broker';
import { type Probed, probeWrites, type Writes } from '#postgres';
import type { Replica } from './replica.js';

/** Whether this replica can do its work, for those who send it requests. */
export interface Readiness {
  ready: boolean;
  /**
   * `read-only`: a standby, or told to be. `writes-wait`: it would take them, but commands have waited for it for
   * seconds. Reads are answered all the same while it is one of these or `disk-full`, and a replica that has found
   * nothing but `read-only` since its start is ready for them.
   */
  postgres: Writes | 'writes-wait';
  /** Of a standby: how many seconds old what it shows is. */
  standbyLagSeconds?: number;
  /**
   * The worst of the partitions that this replica relays; `standby`: other replicas have all of them. Behind or
   * stopped does not make a replica unready: commands go on, events wait in Postgres.
   */
  relay: RelayState | 'none';
  /** How many partitions are in each state here. */
  relayPartitions?: Record<RelayState, number>;
  /** Why a partition is stopped, for programs. */
  relayCode?: StopCode;
  /** What is wrong now, and what to do. */
  relayWhy?: string;
  /** What could be better about the topic, and what to do. */
  relayWarnings?: string[];
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
  private everWritable = false;
  private looking: Promise<Probed> | undefined;
  private writes: { askedAt: number; answer: Promise<Probed> } | undefined;

  constructor(private readonly ledger: Replica) {}

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
    // Who asks meanwhile gets the same answer: however many ask, there is one query.
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
    const { writes, lagSeconds } = await this.looking;
    const postgres = writes === 'ok' && this.ledger.writer.heldUp ? 'writes-wait' : writes;
    // A replica that has never had another one reads from a standby, and is there for nothing else.
    this.everWritable ||= postgres === 'ok';
    const suits = postgres === 'ok' || (postgres === 'read-only' && !this.everWritable);
    return {
      ready: suits && !this.closing,
      postgres,
      ...(lagSeconds !== undefined && { standbyLagSeconds: lagSeconds }),
      ...this.relaying(),
      ...this.projection(),
    };
  }

  /** How many seconds old is what a standby shows; 0 of any other Postgres, and while it does not answer. */
  async standbyLag(): Promise<number> {
    return (await this.takesWrites()).lagSeconds ?? 0;
  }

  private relaying(): Pick<
    Readiness,
    'relay' | 'relayPartitions' | 'relayCode' | 'relayWhy' | 'relayWarnings'
  > {
    const status = this.ledger.relay?.status();
    if (!status) return { relay: 'none' };
    const { state, counts, partitions, warnings } = status;
    const troubled = partitions.find((one) => one.state === state && one.why !== undefined);
    return {
      relay: state,
      relayPartitions: counts,
      ...(troubled?.code && { relayCode: troubled.code }),
      ...(troubled?.why && { relayWhy: troubled.why }),
      ...(warnings.length > 0 && { relayWarnings: warnings.map(({ text }) => text) }),
    };
  }

  private look(): Promise<Probed> {
    return this.ledger.pools.health.query('select 1').then(
      () => this.takesWrites(),
      () => ({ writes: 'unavailable' }), // the answer itself says so
    );
  }

  private takesWrites(): Promise<Probed> {
    const now = performance.now();
    if (!this.writes || now - this.writes.askedAt > WRITES_HOLD_MS)
      this.writes = { askedAt: now, answer: probeWrites(this.ledger.pools.health) };
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
