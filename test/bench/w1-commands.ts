import { randomInt, randomUUID } from 'node:crypto';
import { anonymous } from '../../apps/ledger/caller.js';
import type { Ledger } from '../../apps/ledger/ledger.js';
import { Submissions } from '../../apps/ledger/submissions.js';
import { callLoops, compared, interleave, row, type Side } from './harness.js';
import { openHere } from './ledger.js';
import { openInserts } from './peer-inserts.js';
import { profiled } from './profile.js';
import { SCOPES, startBody } from './scopes.js';
import { withCpu } from './stack.js';
import type { Bench, Workload } from './workload.js';

/** Commands in process, from the making of a submission to its answer, against plain inserts. */
export const commands: Workload = {
  id: 'W1',
  title: `start a session in one of ${SCOPES.toLocaleString('en')} scopes, in process`,
  kafka: false,
  async run({ stack, plan, cleanup, signal, profileDir }: Bench) {
    const ledger = await openHere(await stack.createDatabase('w1'));
    cleanup.add(ledger.close);
    const inserts = await openInserts(await stack.createDatabase('w1_peer'));
    cleanup.add(inserts.close);

    const pids = { node: process.pid, postgres: stack.postgresPid };
    const side = (name: string, callers: number, call: () => Promise<unknown>): Side => ({
      name,
      turn: (ms) => withCpu(pids, () => callLoops(callers, ms, call)),
    });
    const ours = (...of: Parameters<typeof side>): Side => {
      const { name, turn } = side(...of);
      return { name, turn: (ms) => (profileDir ? profiled(profileDir, name, () => turn(ms)) : turn(ms)) };
    };
    const start = starter(ledger);
    const sides = [64, 1_024].map((callers) => ({
      callers,
      keyed: ours(`${callers} with receipts`, callers, () => start(randomUUID())),
      plain: ours(`${callers} without receipts`, callers, () => start(undefined)),
      reference: side(`${callers} inserts`, callers, inserts.one),
    }));
    const order = sides.flatMap(({ keyed, plain, reference }) => [keyed, reference, plain]);
    const turns = await interleave(order, plan, signal);
    return sides.flatMap(({ callers, keyed, plain, reference }) => {
      const of = ({ name }: Side) => turns.get(name) ?? [];
      const inserted = { name: 'one INSERT per transaction, pool of 16', turns: of(reference) };
      return [
        compared(row('with a receipt', callers, of(keyed)), of(keyed), inserted),
        compared(row('without', callers, of(plain)), of(plain), inserted),
        row(inserted.name, callers, inserted.turns),
      ];
    });
  },
};

/** Starts a session in a random scope, as the controller does; rejects unless it was started. */
export function starter({ identity, writer }: Ledger): (key: string | undefined) => Promise<void> {
  const submissions = new Submissions(identity);
  return async (key) => {
    const body = startBody(randomInt(SCOPES));
    const answer = await writer.submit(
      submissions.start(anonymous, body, { key, path: '/v1/sessions', body }),
    );
    if (answer.kind !== 'accepted') throw new Error(`a start was answered ${answer.kind}`);
  };
}
