import { type Instant, partitionOfSession } from '#session';
import type { Caller } from '../access.js';
import type { Answered, Asked, Serving } from '../asked.js';
import type { Ledger, Renewal } from '../ledger.port.js';
import { type Problem, problemBody } from '../problems/problem-body.js';
import { ProblemError } from '../problems/problem-error.js';
import { problemOf } from './answers.js';
import { submissionOf } from './commands.js';
import { unkeyed } from './receipts.js';

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
    const results = body.map(async ({ sessionId, epoch }) => {
      const renewed = await renew({ sessionId, epoch, by: caller }, ledger);
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
): Promise<{ until: Instant } | { problem: Problem }> {
  const { sessionId, epoch, by } = renewal;
  const partition = partitionOfSession(sessionId);
  if (partition >= ledger.partitions) return { problem: { code: 'unknown-session' } };
  const until = await ledger.renew(renewal);
  if (until !== undefined) return { until };
  const command = { type: 'RenewLease', sessionId, epoch };
  const answer = await ledger.submit(submissionOf(unkeyed(by), command, partition, ledger));
  if (answer.kind !== 'accepted') return { problem: problemOf(answer) };
  // It came alive in between: now its row is there.
  const again = await ledger.renew(renewal);
  if (again === undefined) throw new ProblemError('unavailable', 'The lease changes all the time.');
  return { until: again };
}
