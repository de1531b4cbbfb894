import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type CurrentQuery, type EventsQuery, MOST_REFUSALS, type ScopeQuery } from '#contracts';
import { History, type Latest, type Place, type ScopePlace, START, Tail, UserScopes } from '#log';
import {
  aheadOfLog,
  currentRead,
  encodePlace,
  etagOf,
  namesEtag,
  ProblemError,
  positionText,
} from '#protocol';
import { parseScopeKey, type ScopeKey } from '#session';
import { anonymous } from '../caller.js';
import { PastReader } from '../past-reader.js';
import { ReadLatest } from '../read-latest.js';
import { ScopeWatch } from '../streams/scope-watch.js';
import { Submissions } from '../submissions.js';
import { latestJson, leasedJson, Presenter, sessionJson } from './answers.js';
import { sendPage } from './page.js';
import { Route } from './route.js';

/** Most sessions in one page of a user's. */
const PAGE = 100;

/** What is current, and what was. */
@Controller()
export class ReadsController {
  constructor(
    private readonly queries: QueryBus,
    private readonly history: History,
    private readonly submissions: Submissions,
    private readonly watch: ScopeWatch,
    private readonly presenter: Presenter,
    private readonly scopes: UserScopes,
    private readonly past: PastReader,
    private readonly tail: Tail,
  ) {}

  @Route('currentSession')
  async current(request: FastifyRequest<{ Querystring: CurrentQuery }>, reply: FastifyReply) {
    const { userId, projectId } = request.query;
    const read = currentRead(request.query, request.headers['if-none-match']);
    if (read.of === 'user') return this.allOf(userId, read.after ?? START, reply);
    const { scopeKey, partition } = this.submissions.scope(anonymous, userId, projectId);
    if (read.of === 'past') return this.asOf({ scopeKey, partition }, read.asOf, reply);
    const { wait, after, withLease } = read;
    let latest = wait === undefined ? undefined : await this.await(scopeKey, partition, after, wait, reply);
    if (wait === undefined || withLease) {
      latest = await this.queries.execute(new ReadLatest(scopeKey, partition, withLease));
    }
    if (!latest || latest.ended) {
      throw new ProblemError(
        'no-current-session',
        undefined,
        latest && { last: JSON.parse(latestJson(latest)) },
      );
    }
    const etag = etagOf(latest.revision);
    if (!withLease) reply.header('etag', etag); // no revision tells of a renewal
    const unchanged =
      namesEtag(request.headers['if-none-match'], etag) || (wait && latest.revision === after);
    if (unchanged) return reply.code(304).send();
    return reply
      .header('content-type', 'application/json')
      .send(withLease ? leasedJson(latest) : latestJson(latest));
  }

  /** All current sessions of a user, a page of them. */
  private async allOf(userId: string, after: Place, reply: FastifyReply) {
    const { scopeKey } = this.submissions.scope(anonymous, userId);
    const found = await this.scopes.current(scopeKey, after, PAGE);
    const last = found.length === PAGE ? found.at(-1) : undefined;
    const sessions = found.map(({ json, attributes }) => sessionJson(json, attributes)).join(',');
    reply
      .header('content-type', 'application/json')
      .send(`{"sessions":[${sessions}]${last ? `,"next":"${encodePlace(last)}"` : ''}}`);
  }

  /** What a reader got then. It does not change any more, so there is nothing to wait for. */
  private async asOf(scope: ScopePlace, asOf: string, reply: FastifyReply) {
    const past = await this.past.read(scope, asOf);
    const json = past && sessionJson(JSON.stringify(past.session), past.attributes);
    if (past) reply.header('ledger-position', positionText(past.position));
    if (!past || past.session.status === 'ended') {
      throw new ProblemError('no-current-session', undefined, json ? { last: JSON.parse(json) } : {});
    }
    return reply.header('content-type', 'application/json').send(json);
  }

  /**
   * The latest session once its revision is another one than `after`, or as it is when the time is over. One below it
   * is another one, too: the ledger was restored, and who waits for the old one to change would wait for ever.
   */
  private async await(
    scopeKey: ScopeKey,
    partition: number,
    after: number,
    seconds: number,
    reply: FastifyReply,
  ): Promise<Latest | undefined> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const until = performance.now() + seconds * 1_000;
    while (true) {
      const left = until - performance.now();
      const changed = this.watch.next(scopeKey, Math.max(0, left), gone.signal);
      const latest = await this.queries.execute(new ReadLatest(scopeKey, partition));
      const isOver = left <= 0 || gone.signal.aborted || this.watch.closed;
      if ((latest?.revision ?? 0) !== after || isOver) {
        gone.abort(); // takes the waiter away that is not needed any more
        return latest;
      }
      await changed;
    }
  }

  @Route('session')
  async session(request: FastifyRequest<{ Params: { sessionId: string } }>, reply: FastifyReply) {
    const { sessionId } = request.params;
    this.submissions.partitionOf(sessionId);
    const [found, refusals] = await Promise.all([
      this.history.session(sessionId),
      this.history.refusals(sessionId, MOST_REFUSALS),
    ]);
    if (!found || parseScopeKey(found.scopeKey).tenant !== anonymous.tenant) {
      throw new ProblemError('unknown-session');
    }
    const json = await this.presenter.session(found.session);
    reply
      .header('content-type', 'application/json')
      .send(`${json.slice(0, -1)},"refusals":${JSON.stringify(refusals)}}`);
  }

  @Route('checkpoints')
  async checkpoints(request: FastifyRequest<{ Querystring: ScopeQuery }>, reply: FastifyReply) {
    const { userId, projectId } = request.query;
    const { scopeKey, partition } = this.submissions.scope(anonymous, userId, projectId);
    const checkpoints = await this.history.checkpoints(partition, scopeKey);
    reply.header('content-type', 'application/json').send({ checkpoints });
  }

  @Route('scopeEvents')
  async events(request: FastifyRequest<{ Querystring: EventsQuery }>, reply: FastifyReply) {
    const { userId, projectId, after = 0, limit = 100 } = request.query;
    const { scopeKey, partition } = this.submissions.scope(anonymous, userId, projectId);
    const { restores } = this.tail; // before the events, as on the feed
    const events = await this.history.events(scopeKey, after, limit);
    if (events.length === 0 && after > 0) {
      const latest = await this.queries.execute(new ReadLatest(scopeKey, partition));
      if (after > (latest?.version ?? 0)) throw aheadOfLog('query.after');
    }
    // How often a stop was ignored is no part of the event, which never changes: it stands beside it.
    const shown = events.map(({ json, count }) =>
      count === undefined ? json : `${json.slice(0, -1)},"ignoredstops":${count}}`,
    );
    sendPage(reply, shown, events.length === limit && events.at(-1)?.version, restores);
  }
}
