import { callLoops, compared, interleave, type Row, row, type Side } from '../harness.js';
import { openHere } from '../ledger.js';
import type { LoadOrder } from '../load.js';
import { type Served, startLoad, startService } from '../processes.js';
import { ALL, NEW, type Range } from '../scopes.js';
import { seed } from '../seed.js';
import { execute, metered } from '../stack.js';
import { bytesAnEvent, type Grown, grow } from './growth.js';
import { starter } from './w1-commands.js';
import type { Bench, Workload } from './workload.js';

const CALLERS = 64;
/** Nobody projects: the projector would still be at the filling when the commands are measured. */
const LEDGER_ROLES = 'api';
/**
 * The same work on both, and what the other workloads do: a session in one of all scopes, where the grown ledger has to
 * end the one before it, two events instead of one.
 */
const STARTS: { what: string; scopes: Range }[] = [
  { what: 'starts in new scopes', scopes: NEW },
  { what: 'starts in any of a million scopes', scopes: ALL },
];
/** What is there to be read in the ledger that is otherwise empty. */
const FEW = 1_000;

/** The same work on a ledger that has grown and on an empty one, in the same turns. */
export const growth: Workload = {
  id: 'W6',
  title: 'commands and reads on a ledger that has grown, against an empty one',
  kafka: false,
  long: true,
  async run(bench: Bench) {
    const { stack, growth, signal, say } = bench;
    const small = { url: await stack.createDatabase('w6_empty'), scopes: FEW };
    await seed(small.url, FEW, signal);
    const url = await stack.createDatabase('w6_grown');
    const grown = await grow(url, growth, signal, say);
    if (grown.events < growth.events) {
      say(`    stopped filling after ${grown.seconds.toFixed(0)} s: ${told(grown)}`);
    }
    const bytes = await bytesAnEvent(url);
    say(`    ${bytes.all.toFixed(0)} bytes on disk an event, ${bytes.events.toFixed(0)} of them for the log`);
    await execute(url, 'vacuum analyze'); // as autovacuum would have it by and by
    const rows = [
      ...(await inProcess(bench, small.url, { ...grown, url })),
      ...(await overHttp(bench, small, { ...grown, url })),
    ];
    return [...rows, diskRow(grown, bytes)];
  },
};

async function inProcess({ stack, plan, cleanup, signal }: Bench, small: string, grown: Grown & Place) {
  const pids = { node: process.pid, postgres: stack.postgresPid };
  const open = async (url: string) => {
    const ledger = await openHere(url, { LEDGER_ROLES });
    cleanup.add(ledger.close);
    return (name: string, scopes: Range): Side => {
      const start = starter(ledger, scopes);
      return { name, turn: (ms) => metered(pids, () => callLoops(CALLERS, ms, () => start(undefined))) };
    };
  };
  const [few, many] = [await open(small), await open(grown.url)];
  const sides = STARTS.map(({ what, scopes }): [Side, Side] => [
    many(`${what} in process, ${told(grown)}`, scopes),
    few(`${what} in process, an empty ledger`, scopes),
  ]);
  return pairs(sides, await interleave(sides.flat(), plan, signal));
}

async function overHttp({ stack, plan, cleanup, signal }: Bench, small: Place, grown: Grown & Place) {
  const serve = ({ url }: Place) =>
    startService({ DATABASE_URL: url, KAFKA_BROKERS: 'none', LEDGER_ROLES }, cleanup);
  const [few, many] = await Promise.all([serve(small), serve(grown)]);
  const load = startLoad(cleanup);
  const side = (
    name: string,
    { pid, port }: Served,
    more: Pick<LoadOrder, 'kind' | 'scopes' | 'existing'>,
  ) => ({
    name,
    turn: (ms: number) => {
      const pids = { server: pid, postgres: stack.postgresPid, load: load.pid };
      const path = more.kind === 'start' ? '/v1/sessions' : '/v1/current';
      return metered(pids, () => load.turn({ ...more, port, path, connections: CALLERS, ms }));
    },
  });
  const both = (what: string, kind: 'start' | 'current', scopes: Range = ALL): [Side, Side] => [
    side(`${what}, ${told(grown)}`, many, { kind, scopes, existing: grown.scopes }),
    side(`${what}, an empty ledger`, few, { kind, scopes, existing: small.scopes }),
  ];
  const sides = [
    ...STARTS.map(({ what, scopes }) => both(`${what} over HTTP`, 'start', scopes)),
    both('reads of the current session', 'current'),
  ];
  return pairs(sides, await interleave(sides.flat(), { ...plan, warmUpMs: 2 * plan.warmUpMs }, signal));
}

interface Place {
  url: string;
  scopes: number;
}

function pairs(sides: [Side, Side][], turns: Awaited<ReturnType<typeof interleave>>): Row[] {
  const of = ({ name }: Side) => turns.get(name) ?? [];
  return sides.flatMap(([many, few]) => [
    compared(row(many.name, CALLERS, of(many)), of(many), { name: few.name, turns: of(few) }),
    row(few.name, CALLERS, of(few)),
  ]);
}

/** Not a comparison: how fast it was filled, and what it takes on disk. */
function diskRow(grown: Grown, bytes: { all: number; events: number }): Row {
  const filled = { seconds: grown.seconds, ops: grown.events, latencies: [] };
  const figures = `${bytes.all.toFixed(0)} B on disk an event, ${bytes.events.toFixed(0)} B of them for the log`;
  return row(`filled to ${told(grown)}: ${figures}`, 1, [filled]);
}

function told({ events, scopes }: { events: number; scopes: number }): string {
  return `${events.toLocaleString('en')} events in ${scopes.toLocaleString('en')} scopes`;
}
