import type { Operations } from '#client';

export type Stats = Operations['stats']['answer'];

/** What a plot needs of one answer. */
export interface Sample {
  /** Milliseconds. */
  at: number;
  /** A second; absent in the first answer of a replica. */
  commands?: number;
  refusals?: number;
  inSync?: number;
  /** Events that the read models, and Kafka, are behind with, by partition. */
  projection: number[];
  relay: number[];
}

/** So many are kept, and of so many replicas: the memory of the page is bounded. */
export const MOST_SAMPLES = 90;
const MOST_REPLICAS = 100;
/** A replica that has not answered for so long is taken to serve nobody. */
const FORGOTTEN_MS = 30_000;

interface Counted {
  since: string;
  at: number;
  commands: number;
  refusals: number;
  rate?: { commands: number; refusals: number };
}

/** What was answered lately. Rates are differences of one replica's totals; behind a balancer they are summed. */
export class Samples {
  readonly list: Sample[] = [];
  private readonly replicas = new Map<string, Counted>();

  /** Of how many replicas the rates are. */
  get counted(): number {
    return this.rates().length;
  }

  add(stats: Stats): void {
    const at = Date.parse(stats.at);
    // Tabs that ask at once share an answer: it is one sample.
    if (at === this.list.at(-1)?.at) return;
    this.count(stats, at);
    const rates = this.rates();
    const { heads = [] } = stats.ledger ?? {};
    const behind = (positions: number[] | undefined) =>
      positions ? heads.map((head, partition) => Math.max(0, head - (positions[partition] ?? 0))) : [];
    this.list.push({
      at,
      ...(rates.length > 0 && {
        commands: rates.reduce((sum, rate) => sum + rate.commands, 0),
        refusals: rates.reduce((sum, rate) => sum + rate.refusals, 0),
      }),
      ...(stats.sync.rate !== undefined && { inSync: stats.sync.rate }),
      projection: behind(stats.projection?.positions),
      relay: behind(stats.relay?.confirmed),
    });
    if (this.list.length > MOST_SAMPLES) this.list.shift();
  }

  private count({ traffic: { replica, since, all, ...own } }: Stats, at: number): void {
    const { commands, refusals } = all ?? own;
    const last = this.replicas.get(replica);
    const seconds = last && last.since === since ? (at - last.at) / 1_000 : 0;
    const rate =
      last && seconds > 0
        ? { commands: (commands - last.commands) / seconds, refusals: (refusals - last.refusals) / seconds }
        : undefined;
    this.replicas.delete(replica);
    this.replicas.set(replica, { since, at, commands, refusals, ...(rate && { rate }) });
    for (const [id, one] of this.replicas)
      if (at - one.at > FORGOTTEN_MS || this.replicas.size > MOST_REPLICAS) this.replicas.delete(id);
  }

  private rates() {
    return [...this.replicas.values()].flatMap(({ rate }) => (rate ? [rate] : []));
  }
}
