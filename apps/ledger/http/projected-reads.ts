import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Reached, ScopePlace } from '#log';
import { noSuchPosition, ProblemError, positionOf, positionText } from '#protocol';
import { anonymous } from '../caller.js';
import type { Submissions } from '../submissions.js';

/** The longest that a reader waits for the position that it asked for. */
const WAIT_MS = 5_000;

type Asking = FastifyRequest<{ Querystring: { userId: string; projectId?: string; atLeast?: string } }>;

/** Reads of what comes after the log: each says how far that had come, and waits when more was asked for. */
export class ProjectedReads {
  constructor(
    private readonly reached: Reached,
    private readonly submissions: Submissions,
  ) {}

  /** The scope that a request is about, and the sequence that its answer has to know, from query or header. */
  asked({ query, headers }: Asking): { scope: ScopePlace; wanted: number } {
    const { userId, projectId, atLeast } = query;
    const scope = this.submissions.scope(anonymous, userId, projectId);
    const header = headers['ledger-position'];
    const text = atLeast ?? (header === undefined ? undefined : String(header));
    if (text === undefined) return { scope, wanted: 0 };
    return { scope, wanted: positionOf(text, scope.partition, placeOf(query)).sequence };
  }

  /**
   * What is read, once it knows what was asked for. Throws `projection-behind` when that takes over 5 s, and
   * `invalid-request` at once when the log has no such position.
   */
  async page<Page extends { reached: number }>(
    reply: FastifyReply,
    { partition }: ScopePlace,
    wanted: number,
    read: () => Promise<Page>,
  ): Promise<Page> {
    let page = await read();
    if (page.reached < wanted) {
      await this.wait(reply, partition, wanted);
      page = await read();
    }
    reply.header('ledger-position', positionText({ partition, sequence: page.reached }));
    return page;
  }

  private async wait(reply: FastifyReply, partition: number, wanted: number): Promise<void> {
    if (await this.reached.isAhead(partition, wanted)) {
      throw noSuchPosition(placeOf(reply.request.query as Asking['query']), { partition, sequence: wanted });
    }
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    if (await this.reached.wait(partition, wanted, WAIT_MS, gone.signal)) return;
    throw new ProblemError('projection-behind', `${partition}:${wanted} was not projected within 5 s`);
  }
}

function placeOf({ atLeast }: Asking['query']): string {
  return atLeast === undefined ? 'header.ledger-position' : 'query.atLeast';
}
