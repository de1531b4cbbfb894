import { CommandBus } from '@nestjs/cqrs';
import { type Answer, LeaseRenewer, LogError, partitionOfSession, type Renewal } from '#log';
import type { Instant } from '#session';
import type { Caller } from './caller.js';
import { Execute } from './execute.js';
import { Submissions } from './submissions.js';

/** A renewal's result: the lease's new end, or the decider's answer why there is none. */
export type Renewed = { until: Instant } | { answer: Exclude<Answer, { kind: 'accepted' }> };

/** Renews leases: first by their rows alone; who has no such row is told by the decider what is the matter. */
export class Leases {
  constructor(
    private readonly renewer: LeaseRenewer,
    private readonly submissions: Submissions,
    private readonly commands: CommandBus,
  ) {}

  async renew(caller: Caller, renewal: Renewal): Promise<Renewed> {
    if (!this.submissions.hasPartition(partitionOfSession(renewal.sessionId))) {
      return { answer: { kind: 'unknown-session' } };
    }
    const until = await this.renewer.renew(renewal);
    if (until !== undefined) return { until };
    const submission = this.submissions.forSession(caller, { type: 'RenewLease', ...renewal });
    const answer = await this.commands.execute(new Execute(submission));
    if (answer.kind !== 'accepted') return { answer };
    // It came alive in between: now its row is there.
    const again = await this.renewer.renew(renewal);
    if (again === undefined) throw new LogError('unavailable', 'The lease changes all the time.');
    return { until: again };
  }
}
