import { Controller } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChainQuery, SessionsQuery, TransitionsQuery, UsageQuery } from '#contracts';
import type { ProjectedSession } from '#log';
import { ReadModels } from '#log';
import { decodeCursor, encodeCursor, ProblemError } from '#protocol';
import { PastReader } from '../past-reader.js';
import { sessionJson } from './answers.js';
import { ProjectedReads } from './projected-reads.js';
import { Route } from './route.js';

type Of<Query> = FastifyRequest<{ Querystring: Query }>;

const SEQUENCE = /^s(\d{1,15})$/;
const SESSION = /^c([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** What was, from the read models. */
@Controller()
export class HistoryController {
  constructor(
    private readonly models: ReadModels,
    private readonly reads: ProjectedReads,
    private readonly past: PastReader,
  ) {}

  @Route('sessions')
  async sessions(request: Of<SessionsQuery>, reply: FastifyReply) {
    const { after, limit = 100, versionId } = request.query;
    const before = sequenceOf(after);
    const { scope, wanted } = this.reads.asked(request);
    const { rows } = await this.reads.page(reply, scope, wanted, () =>
      this.models.sessions(scope, { before, limit, versionId }),
    );
    const isUnknown = versionId !== undefined && rows.length === 0 && after === undefined;
    if (isUnknown) throw new ProblemError('unknown-version');
    const next = rows.length === limit ? rows.at(-1)?.started : undefined;
    sendPage(reply, 'sessions', shown(rows, scope.partition), next && `s${next}`);
  }

  @Route('chain')
  async chain(request: Of<ChainQuery>, reply: FastifyReply) {
    const { after, asOf, limit = 100, sessionId } = request.query;
    if (asOf !== undefined && sessionId !== undefined) {
      throw new ProblemError(
        'invalid-request',
        'query.asOf and query.sessionId ask for two different chains',
      );
    }
    const { scope, wanted } = this.reads.asked(request);
    const then = asOf === undefined ? undefined : await this.past.read(scope, asOf);
    if (asOf !== undefined && !then) return sendPage(reply, 'sessions', [], undefined);
    const from = after === undefined ? (then?.session.sessionId ?? sessionId) : decodeCursor(after, SESSION);
    const known = Math.max(wanted, then?.until ?? 0);
    const { rows, usage } = await this.reads.page(reply, scope, known, () =>
      this.models.chain(scope, {
        from,
        limit: limit + 1,
        asOf: then && { until: then.until, tip: then.session.sessionId },
      }),
    );
    if (from !== undefined && rows.length === 0) throw new ProblemError('unknown-session');
    if (then && after === undefined) {
      const { session, position, until: _, ...attributes } = then;
      rows[0] = { ...rows[0]!, json: JSON.stringify(session), sequence: position.sequence, ...attributes };
    }
    const next = rows[limit]?.sessionId;
    sendPage(reply, 'sessions', shown(rows.slice(0, limit), scope.partition), next && `c${next}`, usage);
  }

  @Route('usage')
  async usage(request: Of<UsageQuery>, reply: FastifyReply) {
    const { asOf } = request.query;
    const { scope, wanted } = this.reads.asked(request);
    const then = asOf === undefined ? undefined : await this.past.read(scope, asOf);
    const until = asOf === undefined ? undefined : (then?.until ?? 0);
    const { usage } = await this.reads.page(reply, scope, Math.max(wanted, until ?? 0), () =>
      this.models.usage(scope, until),
    );
    reply.header('content-type', 'application/json').send(usage === null ? '{}' : `{"usage":${usage}}`);
  }

  @Route('transitions')
  async transitions(request: Of<TransitionsQuery>, reply: FastifyReply) {
    const { after, limit = 100 } = request.query;
    const before = sequenceOf(after);
    const { scope, wanted } = this.reads.asked(request);
    const { rows } = await this.reads.page(reply, scope, wanted, () =>
      this.models.transitions(scope, { before, limit }),
    );
    const { partition } = scope;
    const transitions = rows.map(({ json, sequence }) => withPosition(json, partition, sequence));
    const next = rows.length === limit ? rows.at(-1)?.sequence : undefined;
    sendPage(reply, 'transitions', transitions, next && `s${next}`);
  }
}

function sequenceOf(after: string | undefined): number | undefined {
  return after === undefined ? undefined : Number(decodeCursor(after, SEQUENCE));
}

function shown(rows: readonly ProjectedSession[], partition: number): string[] {
  return rows.map(({ json, attributes, sequence }) =>
    withPosition(sessionJson(json, attributes), partition, sequence),
  );
}

function withPosition(json: string, partition: number, sequence: number): string {
  return `${json.slice(0, -1)},"position":{"partition":${partition},"sequence":${sequence}}}`;
}

function sendPage(
  reply: FastifyReply,
  name: string,
  items: readonly string[],
  next: string | 0 | undefined,
  usage: string | null = null,
): void {
  const more = next ? `,"next":"${encodeCursor(next)}"` : '';
  const sums = usage === null ? '' : `,"usage":${usage}`;
  reply.header('content-type', 'application/json').send(`{"${name}":[${items.join(',')}]${sums}${more}}`);
}
