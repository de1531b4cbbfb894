import { type Answer, isRefusal, type Ledger, type Traffic } from '#api';

/** What the ledger tells of itself, and counts of the commands that it was sent. */
export class Running implements Pick<Ledger, 'running'> {
  private readonly counted = new Map<string | undefined, Traffic>();
  readonly running: Ledger['running'];

  constructor() {
    const replica = { id: 'memory', since: new Date().toISOString() };
    this.running = {
      replica,
      version: 'memory',
      accessControl: false,
      traffic: (tenant) => ({ ...this.of(tenant) }),
      relays: async () => [],
      replicas: async () => [replica.id],
    };
  }

  count(answer: Answer, tenant: string | undefined): void {
    for (const traffic of new Set([this.of(tenant), this.of(undefined)])) {
      if (answer.kind === 'accepted') traffic.commands += 1;
      else if (answer.kind === 'refused' && isRefusal(answer.refusal.code)) traffic.refusals += 1;
    }
  }

  private of(tenant: string | undefined): Traffic {
    const traffic = this.counted.get(tenant) ?? { commands: 0, refusals: 0 };
    this.counted.set(tenant, traffic);
    return traffic;
  }
}
