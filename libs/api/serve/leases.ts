import { type Instant, partitionOfSession } from '#session';
import type { Caller } from '../access.js';
import type { Answered, Asked, Serving } from '../asked.js';
import type { Ledger, Renewal } from '../ledger.port.js';
import { type Problem, problemBody } from '../problems/problem-body.js';
import { ProblemError } from '../problems/problem-error.js';
import { problemOf } from './answers.js';
import { submissionOf } from './commands.js';
import { unkeyed } from './receipts.js';

/** So many renewals of one list are at the decider at once: a list of what has lapsed leaves room for others. */
const AT_DECIDER = 50;

/** Lets so many through at once; the others wait in the order in which they came. */
class Gate {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

/** Renewals: they write no event, so their answers are small. */
export const leases: Pick<Serving, 'renewLease' | 'renewLeases'> = {
  async renewLease({ caller, params: { sessionId }, body: { epoch } }, ledger): Promise<Answered> {
    const renewed = await renew({ sessionId, epoch, by: caller }, ledger);
    return 'problem' in renewed ? renewed : { body: { outcome: 'renewed', sessionId, ...renewed } };
  },
  async renewLeases({ caller, body }: Asked<'renewLeases'>, ledger): Promise<Answered> {
    if (new Set(body.map(({ sessionId }) => sessionId)).size < body.length) {
      throw new ProblemError('invalid-request', 'body names a session twice');
    }
    // What is wrong with one is no problem of the others.
    const gate = new Gate(AT_DECIDER);
    const results = body.map(async ({ sessionId, epoch }) => {
      const renewed = await renew({ sessionId, epoch, by: caller }, ledger, gate);
      if ('until' in renewed) return { outcome: 'renewed', sessionId, ...renewed };
      return { sessionId, problem: problemBody(renewed.problem) };
    });
    return { body: { results: await Promise.all(results) } };
  },
};

/** Renews a lease: first by its row alone; who has no such row is told by the decider what is the matter. */
async function renew(
  renewal: Renewal & { by: Caller },
  ledger: Ledger,
  gate?: Gate,
): Promise<{ until: Instant } | { problem: Problem }> {
  const { sessionId, epoch, by } = renewal;
  const partition = partitionOfSession(sessionId);
  if (partition >= ledger.partitions) return { problem: { code: 'unknown-session' } };
  const until = await ledger.renew(renewal);
  if (until !== undefined) return { until };
  const command = { type: 'RenewLease', sessionId, epoch };
  const decided = () => ledger.submit(submissionOf(unkeyed(by), command, partition, ledger));
  const answer = await (gate ? gate.pass(decided) : decided());
  if (answer.kind !== 'accepted') return { problem: problemOf(answer) };
  // It came alive in between: now its row is there.
  const again = await ledger.renew(renewal);
  if (again === undefined) throw new ProblemError('unavailable', 'The lease changes all the time.');
  return { until: again };
}
