import type { Random } from '../running/random.js';
import type { World } from '../running/world.js';

/** One thing that is broken on purpose, and for how long. What is left to chance is drawn from `random`. */
export interface Fault {
  kind: FaultKind;
  replica: number;
  ms: number;
  /** Of a lock. */
  table?: string;
  partition?: number;
}

export type FaultKind =
  | 'replica killed'
  | 'replica paused'
  | 'table locked'
  | 'head locked'
  | 'backends killed'
  | 'backend paused'
  | 'Postgres stopped'
  | 'Kafka stopped'
  | 'clients cut off'
  | 'answers to clients lost'
  | 'clients not answered'
  | 'database cut off'
  | 'answers to commits lost'
  | 'answers of the database lost'
  | 'database silent'
  | 'database slow';

/** Breaks something, waits, and mends it again. Resolves when nothing is broken any more, whatever happened. */
export type Inflict = (world: World, fault: Fault, random: Random) => Promise<void>;

/** What the report calls it. */
export function nameOf({ kind, table, partition, replica, ms }: Fault): string {
  const what = table ?? (partition === undefined ? undefined : `partition ${partition}`);
  const where = ['table', 'head', 'Postg', 'Kafka', 'backe'].some((one) => kind.startsWith(one))
    ? ''
    : ` (replica ${replica})`;
  return `${kind}${what ? `: ${what}` : ''}${where} for ${(ms / 1_000).toFixed(1)} s`;
}
