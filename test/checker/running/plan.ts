import type { Fault, FaultKind } from '../faults/index.js';
import type { Random } from './random.js';

/** Faults that are inflicted at once, and how long nothing is broken afterwards. */
export interface Round {
  faults: readonly Fault[];
  calmMs: number;
}

export interface PlanOptions {
  random: Random;
  /** All tables of the ledger. */
  tables: readonly string[];
  partitions: number;
  replicas: number;
  /** Short faults, once each, for a run of about a minute; or long ones, several times. */
  size: 'small' | 'long';
}

/** How often a kind comes in one long cycle, and how long it lasts: short and long, in milliseconds. */
const KINDS: Readonly<Record<FaultKind, { times: number; small: Span; long: Span }>> = {
  'table locked': { times: 0, small: [400, 700], long: [1_000, 7_000] },
  'replica killed': { times: 3, small: [0, 300], long: [0, 1_500] },
  'replica paused': { times: 3, small: [800, 1_500], long: [500, 7_500] },
  'head locked': { times: 3, small: [600, 1_000], long: [1_000, 7_000] },
  'backends killed': { times: 3, small: [1_000, 1_500], long: [1_000, 3_000] },
  'backend paused': { times: 3, small: [800, 1_500], long: [500, 7_500] },
  'Postgres stopped': { times: 1, small: [0, 300], long: [0, 3_000] },
  'Kafka stopped': { times: 1, small: [0, 0], long: [0, 5_000] },
  'clients cut off': { times: 2, small: [300, 600], long: [200, 2_000] },
  'answers to clients lost': { times: 2, small: [1_000, 1_500], long: [1_000, 4_000] },
  'clients not answered': { times: 2, small: [600, 1_000], long: [500, 3_000] },
  'database cut off': { times: 2, small: [300, 600], long: [200, 4_000] },
  'answers to commits lost': { times: 4, small: [2_000, 2_500], long: [2_000, 5_000] },
  'answers of the database lost': { times: 2, small: [1_000, 1_500], long: [1_000, 4_000] },
  'database silent': { times: 2, small: [600, 1_200], long: [500, 8_000] },
  'database slow': { times: 2, small: [600, 1_000], long: [1_000, 4_000] },
};

type Span = readonly [number, number];

/** Longer than a statement may take. */
const PAST_STATEMENTS_MS = 5_800;

/** Tables without which no command can be obeyed, or answered. The others are locked at once in a small run. */
const NEEDED = ['details', 'events', 'heads', 'ignored_stops', 'leases', 'receipts', 'scopes', 'sessions'];

/** What may be broken besides, without making any other fault impossible. */
const BESIDES = [
  'answers to clients lost',
  'answers to commits lost',
  'answers of the database lost',
  'backends killed',
  'head locked',
] as const satisfies readonly FaultKind[];

/** Rounds of faults, without end: each kind and each table in every cycle, in another order. The same for the same seed. */
export function* planRounds(options: PlanOptions): Generator<Round[]> {
  while (true) {
    const { random } = options;
    const faults = [...kinds(options), ...locks(options)];
    const rounds =
      options.size === 'small'
        ? smallRounds(faults, options)
        : faults.map((fault) => beside({ faults: [fault], calmMs: calm(options) }, options));
    yield random.shuffled(rounds);
  }
}

function calm({ random, size }: PlanOptions): number {
  return size === 'small' ? random.integer(100, 300) : random.integer(500, 2_000);
}

function kinds(options: PlanOptions): Fault[] {
  return (Object.keys(KINDS) as FaultKind[]).flatMap((kind) => {
    const { times } = KINDS[kind];
    // A small run has each kind once, and what needs luck to be seen at each replica.
    const count = options.size === 'long' ? times : Math.ceil(times / 3);
    return Array.from({ length: count }, (_, index) => ({
      ...faultOf(kind, options),
      ...(index < 2 && count > 1 && { replica: index }),
    }));
  });
}

function faultOf(kind: FaultKind, { random, partitions, replicas, size }: PlanOptions): Fault {
  const fault: Fault = {
    kind,
    replica: random.integer(0, replicas - 1),
    ms: random.integer(...KINDS[kind][size]),
  };
  if (kind === 'head locked') fault.partition = random.integer(0, partitions - 1);
  return fault;
}

function locks(options: PlanOptions): Fault[] {
  const { tables, size } = options;
  const chosen = size === 'small' ? tables.filter((table) => NEEDED.includes(table)) : tables;
  return chosen.map((table) => {
    const fault = { ...faultOf('table locked', options), table };
    return size === 'small' && table === 'details' ? { ...fault, ms: PAST_STATEMENTS_MS } : fault;
  });
}

/** One fault a round; what hinders no command goes along with others, to save time. */
function smallRounds(faults: readonly Fault[], options: PlanOptions): Round[] {
  const others = options.tables.filter((table) => !NEEDED.includes(table));
  const beside = others.map((table) => ({ ...faultOf('table locked', options), table }));
  const ofKafka = faults.filter(({ kind }) => kind === 'Kafka stopped');
  const rounds = faults
    .filter((fault) => !ofKafka.includes(fault))
    .map((fault) => (fault.table === 'details' ? [fault, ...ofKafka] : [fault]));
  return [...rounds, beside].map((faults) => ({ faults, calmMs: calm(options) }));
}

/** Sometimes something else is broken at the same time. */
function beside(round: Round, options: PlanOptions): Round {
  const { random } = options;
  if (!random.chance(0.25)) return round;
  return { ...round, faults: [...round.faults, faultOf(random.pick(BESIDES), options)] };
}
