import { Readable } from 'node:stream';
import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FeedQuery, FeedStreamQuery, ScopeStreamQuery } from '#contracts';
import { History, Tail } from '#log';
import { aheadOfLog, decodeVector, lastEventId, ProblemError, ScopeEventIds } from '#protocol';
import { anonymous } from '../caller.js';
import { ReadLatest } from '../read-latest.js';
import { answersHead } from '../streams/head.js';
import { Streams } from '../streams/streams.js';
import { Submissions } from '../submissions.js';
import { sessionJson } from './answers.js';
import { sendPage } from './page.js';
import { Route } from './route.js';

/** The log as followers read it: numbered, or as it grows. */
@Controller()
export class FeedController {
  constructor(
    private readonly tail: Tail,
    private readonly history: History,
    private readonly streams: Streams,
    private readonly submissions: Submissions,
    private readonly queries: QueryBus,
  ) {}

  @Route('feed')
  async feed(request: FastifyRequest<{ Querystring: FeedQuery }>, reply: FastifyReply) {
    const { partition, after = 0, limit = 100 } = request.query;
    if (partition >= this.tail.partitions) {
      throw new ProblemError('invalid-request', `query.partition has to be below ${this.tail.partitions}`);
    }
    const { restores } = this.tail; // before the events: those of another past come with a number that is too low
    const events = await this.tail.read(partition, after, limit);
    if (events.length === 0 && (await this.isAhead({ [partition]: after }))) throw aheadOfLog('query.after');
    const next = events.length === limit && events.at(-1)?.sequence;
    sendPage(
      reply,
      events.map(({ bytes }) => bytes.toString()),
      next,
      restores,
    );
  }

  @Route('feedStream')
  async feedStream(request: FastifyRequest<{ Querystring: FeedStreamQuery }>, reply: FastifyReply) {
    const last = lastIdOf(request);
    const heads = this.tail.heads();
    const { restores } = this.tail;
    const vector = last ? decodeVector(last, heads.length, restores) : heads;
    if (last && (await this.isAhead(vector))) throw aheadOfLog(last.place);
    if (last) await this.tail.refuseArchived(vector);
    this.streams.feed(reply, vector, restores);
  }

  @Route('scopeStream')
  async scopeStream(request: FastifyRequest<{ Querystring: ScopeStreamQuery }>, reply: FastifyReply) {
    const { userId, projectId } = request.query;
    const { scopeKey, partition } = this.submissions.scope(anonymous, userId, projectId);
    const last = lastIdOf(request);
    const ids = new ScopeEventIds(scopeKey, this.tail.restores);
    const from = last && ids.decode(last);
    const latest = await this.queries.execute(new ReadLatest(scopeKey, partition));
    const head = latest?.version ?? 0;
    const version = from ?? head;
    if (last && version > head) throw aheadOfLog(last.place);
    if (last) await this.history.events(scopeKey, version, 1); // a problem while there is still an answer to give
    this.streams.scope(reply, scopeKey, version, ids);
  }

  /** By partition. What is ahead of this replica, another one may have committed a moment ago. */
  private async isAhead(sequences: Readonly<Record<number, number>>): Promise<boolean> {
    const are = (heads: readonly number[]) =>
      Object.entries(sequences).some(([partition, sequence]) => sequence > (heads[Number(partition)] ?? 0));
    return are(this.tail.heads()) && are(await this.tail.storedHeads());
  }

  @Route('snapshot')
  snapshot(_request: FastifyRequest, reply: FastifyReply): void {
    const type = 'application/x-ndjson';
    if (answersHead(reply, { 'content-type': type })) return;
    reply.header('content-type', type).send(Readable.from(lines(this.history)));
  }
}

function lastIdOf({ headers, query }: FastifyRequest<{ Querystring: FeedStreamQuery }>) {
  const header = headers['last-event-id'];
  return lastEventId(header === undefined ? header : String(header), query.lastEventId);
}

/** A line a document; the last one says that nothing is missing. */
async function* lines(history: History): AsyncGenerator<string> {
  for await (const row of history.snapshot()) {
    if ('position' in row) yield `${JSON.stringify(row)}\n`;
    else yield `{"session":${sessionJson(row.json, row.attributes)}}\n`;
  }
  yield '{"complete":true}\n';
}
