import { Metrics } from '../../../apps/ledger/metrics.js';
import { callLoops, compared, interleave, type Row, row, type Side, type Turn } from '../harness.js';
import { openHere } from '../ledger.js';
import { openInserts } from '../peers/inserts.js';
import { metered } from '../stack.js';
import { startStandby } from './standby.js';
import { starter } from './w1-commands.js';
import type { Bench, Workload } from './workload.js';

const CALLERS = [64, 1_024];
const STANDBY_MS = 2;
const LEDGER_ROLES = 'api';
const ONE_PARTITION = { LEDGER_PARTITIONS: '1', LEDGER_WRITERS: '1' };

/** What happens when those who write have to wait: for one another, or for a standby. */
export const replicas: Workload = {
  id: 'W9',
  title: 'replicas on one Postgres, writers on one partition, a synchronous standby',
  kafka: false,
  long: true,
  async run(bench: Bench) {
    return [
      ...(await together(bench, 'replicas', 2, 'replica')),
      ...(await together(bench, 'writers', 4, 'writer on one partition', ONE_PARTITION)),
      ...(await behindStandby(bench)),
    ];
  },
};

/** Several replicas in this process, each with its own writer and connections, against one of them alone. */
async function together(
  bench: Bench,
  database: string,
  count: number,
  what: string,
  settings: Record<string, string> = {},
): Promise<Row[]> {
  const names = { ours: `${count} × a ${what}`, theirs: `one ${what}` };
  const alone = await open(bench, `w9_${database}_1`, 1, settings);
  const several = await open(bench, `w9_${database}`, count, settings);
  const sides = CALLERS.map((callers) => ({
    callers,
    ours: alternating(bench, `${names.ours}, ${callers}`, callers, several),
    theirs: alternating(bench, `${names.theirs}, ${callers}`, callers, alone),
  }));
  const order = sides.flatMap(({ ours, theirs }) => [ours.side, theirs.side]);
  const turns = await interleave(order, bench.plan, bench.signal);
  return sides.flatMap(({ callers, ours, theirs }) => {
    const of = ({ side }: Measured) => turns.get(side.name) ?? [];
    const reference = { name: names.theirs, turns: of(theirs) };
    return [
      compared(row(`${names.ours}${ours.batches()}`, callers, of(ours)), of(ours), reference),
      row(`${names.theirs}${theirs.batches()}`, callers, of(theirs)),
    ];
  });
}

/** The same ledger, and the same bare INSERT, with commits that a standby acknowledges and with those that none does. */
async function behindStandby(bench: Bench): Promise<Row[]> {
  const { stack, plan, signal, cleanup } = bench;
  const ledger = await open(bench, 'w9_standby', 1, {});
  const url = await stack.createDatabase('w9_inserts');
  const inserts = await openInserts(url);
  cleanup.add(inserts.close);
  const { whileAwaited } = await startStandby(url, STANDBY_MS, cleanup);
  const pids = { node: process.pid, postgres: stack.postgresPid };
  const bare = (name: string, callers: number): Measured => ({
    side: { name, turn: (ms) => metered(pids, () => callLoops(callers, ms, inserts.one)) },
    batches: () => '',
  });
  const awaited = ({ side: { name, turn }, batches }: Measured): Measured => ({
    side: { name: `${name}, awaited`, turn: (ms) => whileAwaited(() => turn(ms)) },
    batches,
  });
  const sides = CALLERS.flatMap((callers) => {
    const commands = () => alternating(bench, `commands, ${callers}`, callers, ledger);
    const rows = () => bare(`one INSERT per transaction, ${callers}`, callers);
    return [
      { what: 'commands', callers, ours: awaited(commands()), theirs: commands() },
      { what: 'one INSERT per transaction', callers, ours: awaited(rows()), theirs: rows() },
    ];
  });
  const turns = await interleave(
    sides.flatMap(({ ours, theirs }) => [ours.side, theirs.side]),
    plan,
    signal,
  );
  return sides.flatMap(({ what, callers, ours, theirs }) => {
    const of = ({ side }: Measured) => turns.get(side.name) ?? [];
    const without = `${what}, no standby`;
    return [
      compared(
        row(`${what}, a standby after ${STANDBY_MS} ms${ours.batches()}`, callers, of(ours)),
        of(ours),
        { name: without, turns: of(theirs) },
      ),
      row(`${without}${theirs.batches()}`, callers, of(theirs)),
    ];
  });
}

interface Opened {
  starts: ReturnType<typeof starter>[];
  /** Transactions and commands so far. */
  counted(): Promise<{ transactions: number; commands: number }>;
}

/** So many replicas of one new ledger. */
async function open(
  { stack, cleanup }: Bench,
  database: string,
  count: number,
  settings: Record<string, string>,
): Promise<Opened> {
  const url = await stack.createDatabase(database);
  const metrics = Array.from({ length: count }, () => new Metrics());
  const starts: Opened['starts'] = [];
  for (const each of metrics) {
    const ledger = await openHere(url, { ...settings, LEDGER_ROLES }, each);
    cleanup.add(ledger.close);
    starts.push(starter(ledger));
  }
  const sum = async (suffix: string) => {
    const values = await Promise.all(
      metrics.map(async ({ batchCommands }) => (await batchCommands.get()).values),
    );
    return values
      .flat()
      .filter(({ metricName }) => metricName?.endsWith(suffix))
      .reduce((sum, { value }) => sum + value, 0);
  };
  return {
    starts,
    counted: async () => ({ transactions: await sum('_count'), commands: await sum('_sum') }),
  };
}

interface Measured {
  side: Side;
  /** `, 12 commands a batch`, over all turns that count. */
  batches(): string;
}

/** Callers who ask one replica after the other. */
function alternating({ stack, plan }: Bench, name: string, callers: number, opened: Opened): Measured {
  const pids = { node: process.pid, postgres: stack.postgresPid };
  const counts: { transactions: number; commands: number }[] = [];
  let next = 0;
  const call = () => opened.starts[next++ % opened.starts.length]!(undefined);
  const turn = async (ms: number): Promise<Turn> => {
    const before = await opened.counted();
    const done = await metered(pids, () => callLoops(callers, ms, call));
    const after = await opened.counted();
    counts.push({
      transactions: after.transactions - before.transactions,
      commands: after.commands - before.commands,
    });
    return done;
  };
  return {
    side: { name, turn },
    batches() {
      const sum = (of: 'transactions' | 'commands') =>
        counts.slice(-plan.turns).reduce((sum, each) => sum + each[of], 0);
      return `, ${(sum('commands') / sum('transactions')).toFixed(1)} commands a batch`;
    },
  };
}
