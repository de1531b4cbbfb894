import { randomInt, randomUUID } from 'node:crypto';
import { anonymous, type Caller, startOf } from '#api';
import type { Replica } from '../../../apps/ledger/replica.js';
import { callLoops, compared, interleave, type Row, row, type Side } from '../harness.js';
import { caughtUp, openHere } from '../ledger.js';
import { type Emmett, startEmmett } from '../peers/emmett.js';
import { LOT, openInserts } from '../peers/inserts.js';
import { profiled } from '../profile.js';
import { ALL, type Range, SCOPES, startBody } from '../scopes.js';
import { metered } from '../stack.js';
import type { Bench, Workload } from './workload.js';

/** How many who insert LOT rows at a time: as many as the ledger has lanes. */
const LOADERS = 2;
const INSERT = 'one INSERT per transaction, pool of 16';
const EMMETT = 'Emmett, one append each';
const LIMIT = `INSERTs of ${LOT} rows: the limit`;

/** Commands in process, from the making of a submission to its answer, against plain inserts. */
export const commands: Workload = {
  id: 'W1',
  title: `start a session in one of ${SCOPES.toLocaleString('en')} scopes, in process`,
  kafka: false,
  async run(bench: Bench) {
    const { plan, signal, full } = bench;
    const counts = full ? [1, 8, 64, 256, 1_024] : [64, 1_024];
    const { ours, inserts, limit, emmett } = await openSides(bench);
    const sides = counts.map((callers) => ({
      callers,
      keyed: ours(`${callers} with receipts`, callers, true),
      insert: inserts(callers),
      plain: ours(`${callers} without receipts`, callers, false),
      ...(emmett && { emmett: emmett(callers) }),
    }));
    const order = sides.flatMap(({ callers, ...each }) => Object.values(each) as Side[]);
    const turns = await interleave(full ? [...order, limit] : order, plan, signal);
    const of = ({ name }: Side) => turns.get(name) ?? [];
    const against = (name: string, side: Side) => ({ name, turns: of(side) });
    const rows = sides.flatMap(({ callers, keyed, plain, insert, emmett }): Row[] => {
      const mine = {
        keyed: row('with a receipt', callers, of(keyed)),
        plain: row('without', callers, of(plain)),
      };
      return [
        compared(mine.keyed, of(keyed), against(INSERT, insert)),
        ...(emmett ? [compared(mine.keyed, of(keyed), against(EMMETT, emmett))] : []),
        compared(mine.plain, of(plain), against(INSERT, insert)),
        ...(emmett ? [compared(mine.plain, of(plain), against(EMMETT, emmett))] : []),
        ...(full ? [compared(mine.plain, of(plain), against(LIMIT, limit))] : []),
        row(INSERT, callers, of(insert)),
        ...(emmett ? [row(EMMETT, callers, of(emmett))] : []),
      ];
    });
    return full ? [...rows, row(LIMIT, LOADERS, of(limit))] : rows;
  },
};

/** Everybody on a database of their own; all but Emmett in this process. */
async function openSides({ stack, cleanup, profileDir, full, say }: Bench) {
  const ledger = await openHere(await stack.createDatabase('w1'));
  cleanup.add(ledger.close);
  const start = starter(ledger);
  const inserts = await openInserts(await stack.createDatabase('w1_peer'));
  cleanup.add(inserts.close);
  const emmett = full ? await startEmmett(await stack.createDatabase('w1_emmett'), cleanup, say) : undefined;

  const pids = { node: process.pid, postgres: stack.postgresPid };
  const side = (name: string, callers: number, call: () => Promise<unknown>): Side => ({
    name,
    turn: (ms) => metered(pids, () => callLoops(callers, ms, call)),
  });
  return {
    ours(name: string, callers: number, keyed: boolean): Side {
      const { turn } = side(name, callers, () => start(keyed ? randomUUID() : undefined));
      return {
        name,
        turn: (ms) => (profileDir ? profiled(profileDir, name, () => turn(ms)) : turn(ms)),
        settle: () => caughtUp(ledger),
      };
    },
    inserts: (callers: number) => side(`${callers} inserts`, callers, inserts.one),
    limit: inLots(side('inserts of many rows', LOADERS, inserts.lot)),
    emmett: emmett && ((callers: number) => appends(emmett, callers, stack.postgresPid)),
  };
}

function appends({ pid, turn }: Emmett, callers: number, postgres: number): Side {
  const pids = { node: pid, postgres };
  return { name: `${callers} appends`, turn: (ms) => metered(pids, () => turn(callers, ms)) };
}

/** Counted in rows; its latencies are those of a whole INSERT. */
function inLots({ name, turn }: Side): Side {
  return {
    name,
    turn: async (ms) => {
      const done = await turn(ms);
      return { ...done, ops: done.ops * LOT };
    },
  };
}

/** Starts a session in a random scope, as the controller does; rejects unless it was started. */
export function starter(
  { naming, writer }: Replica,
  scopes: Range = ALL,
  who: () => Caller = () => anonymous,
): (key: string | undefined) => Promise<void> {
  return async (key) => {
    const body = startBody(randomInt(...scopes));
    const answer = await writer.submit(
      startOf({ caller: who(), key, path: '/v1/sessions', params: {}, body }, naming),
    );
    if (answer.kind !== 'accepted') throw new Error(`a start was answered ${answer.kind}`);
  };
}
