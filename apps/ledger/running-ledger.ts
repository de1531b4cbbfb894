import type { Ledger } from './ledger.js';

/** Whether this replica can do its work, for those who send it requests. */
export interface Readiness {
  ready: boolean;
  postgres: 'ok' | 'unavailable';
  /** Behind or stopped does not make a replica unready: commands go on, events wait in Postgres. */
  relay: 'relaying' | 'standby' | 'behind' | 'stopped' | 'none';
  /** What the operator should know of the relay. */
  relayWhy?: string;
}

/** The ledger as its health is asked for. */
export class RunningLedger {
  private closing = false;

  constructor(private readonly ledger: Ledger) {}

  /** From now on the replica says that it is not ready, so that no new requests are sent to it. */
  stop(): void {
    this.closing = true;
  }

  async readiness(): Promise<Readiness> {
    const postgres = await this.ledger.pool.query('select 1').then(
      () => 'ok' as const,
      () => 'unavailable' as const, // the answer itself says so
    );
    const { state, partitions } = this.ledger.relay?.status() ?? { state: 'none' as const, partitions: [] };
    const why = partitions.find((partition) => partition.state === state)?.why;
    return {
      ready: postgres === 'ok' && !this.closing,
      postgres,
      relay: state,
      ...(why && { relayWhy: why }),
    };
  }
}
