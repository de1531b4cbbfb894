import { type Instant, partitionOfSession } from '#session';
import { Places } from '#waiting';
import type { Answered, Asked, Serving } from '../asked.js';
import type { Caller } from '../caller.js';
import type { Ledger, Renewal } from '../ledger.port.js';
import { type Problem, problemBody } from '../problems/problem-body.js';
import { ProblemError } from '../problems/problem-error.js';
import { problemOf } from './answers.js';
import { submissionOf } from './commands.js';
import { oneEach } from './one-each.js';
import { unkeyed } from './receipts.js';

/** Renewals of lists whose reasons the decider is asked for at once: others' commands come in between. */
const MOST_DECIDED = 50;
/** The longest that one of them waits for that, in milliseconds. */
const TURN_MS = 5_000;
const turnsOf = oneEach(() => new Places(MOST_DECIDED));

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
    const inTurn: InTurn = (work) => turnsOf(ledger).within(work, TURN_MS);
    const results = body.map(async ({ sessionId, epoch }) => {
      const renewed = await renew({ sessionId, epoch, by: caller }, ledger, inTurn);
      if ('until' in renewed) return { outcome: 'renewed', sessionId, ...renewed };
      return { sessionId, problem: problemBody(renewed.problem) };
    });
    return { body: { results: await Promise.all(results) } };
  },
};

type Renewed = { until: Instant } | { problem: Problem };
/** Has the decider asked when it is the caller's turn; undefined when that does not come. */
type InTurn = (decide: () => Promise<Renewed>) => Promise<Renewed | undefined>;

/**
 * Renews a lease: first by its row alone; who has no such row is told by the decider what is the matter, which is a
 * command like any other.
 */
async function renew(
  renewal: Renewal & { by: Caller },
  ledger: Ledger,
  inTurn: InTurn = (work) => work(),
): Promise<Renewed> {
  const partition = partitionOfSession(renewal.sessionId);
  if (partition >= ledger.partitions) return { problem: { code: 'unknown-session' } };
  const until = await ledger.renew(renewal);
  if (until !== undefined) return { until };
  const decided = await inTurn(() => decide(renewal, partition, ledger));
  return decided ?? { problem: { code: 'timeout' } };
}

async function decide(
  renewal: Renewal & { by: Caller },
  partition: number,
  ledger: Ledger,
): Promise<Renewed> {
  const { sessionId, epoch, by } = renewal;
  const command = { type: 'RenewLease', sessionId, epoch };
  const answer = await ledger.submit(submissionOf(unkeyed(by), command, partition, ledger));
  if (answer.kind !== 'accepted') return { problem: problemOf(answer) };
  // It came alive in between: now its row is there.
  const again = await ledger.renew(renewal);
  if (again === undefined) throw new ProblemError('unavailable', 'The lease keeps changing: try again.');
  return { until: again };
}
