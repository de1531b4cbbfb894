import { Controller } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Reports as ReportsBody, StatsQuery, WithdrawQuery } from '#contracts';
import { type OutOfSync, Reached, type ReportPlace, Reports, Tail } from '#log';
import { encodeCursor, ProblemError, syncFigures, withdrawn } from '#protocol';
import { parseScopeKey } from '#session';
import { anonymous } from '../caller.js';
import { RunningLedger } from '../running-ledger.js';
import { Submissions } from '../submissions.js';
import { Route } from './route.js';

const PLACE = /^r(\d{1,4}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) ([A-Za-z0-9_.:-]{1,64})$/;

/** What consumers hold, and figures. */
@Controller()
export class StatsController {
  constructor(
    private readonly ledger: RunningLedger,
    private readonly reports: Reports,
    private readonly reached: Reached,
    private readonly tail: Tail,
    private readonly submissions: Submissions,
  ) {}

  @Route('report')
  async report(request: FastifyRequest<{ Body: ReportsBody }>, reply: FastifyReply) {
    const reports = request.body.map(({ consumer, userId, projectId, sessionId }) => {
      const { scopeKey, partition } = this.submissions.scope(anonymous, userId, projectId);
      return { consumer, sessionId, scopeKey, partition };
    });
    const taken = await this.reports.take(anonymous.tenant, reports);
    reply.header('content-type', 'application/json').send(taken);
  }

  @Route('withdrawReports')
  async withdraw(request: FastifyRequest<{ Querystring: WithdrawQuery }>, reply: FastifyReply) {
    const { consumer, userId, projectId } = withdrawn(request.query);
    const scope = userId === undefined ? undefined : this.submissions.scope(anonymous, userId, projectId);
    const count = await this.reports.withdraw(anonymous.tenant, consumer, scope);
    reply.header('content-type', 'application/json').send({ withdrawn: count });
  }

  @Route('stats')
  async stats(request: FastifyRequest<{ Querystring: StatsQuery }>, reply: FastifyReply) {
    const { consumer, limit = 100, after } = request.query;
    const { tenant } = anonymous;
    const place = after === undefined ? undefined : placeOf(after);
    const [consumers, page, positions] = await Promise.all([
      this.reports.figures(tenant, consumer),
      this.reports.outOfSync(tenant, { consumer, after: place, limit }),
      this.reached.look(),
    ]);
    const heads = this.tail.heads();
    const projected = heads.map((_, partition) => positions.get(partition) ?? 0);
    const behind = heads.map((head, partition) => Math.max(0, head - projected[partition]!));
    reply.header('content-type', 'application/json').send({
      ledger: {
        source: this.ledger.source,
        partitions: heads.length,
        events: sum(heads),
        heads,
        restores: this.tail.restores,
      },
      projection: { positions: projected, behind: sum(behind) },
      sync: {
        ...syncFigures(consumers),
        list: page.list.map(shown),
        ...(page.next && { next: cursorOf(page.next) }),
      },
    });
  }
}

function shown({ scopeKey, ...one }: OutOfSync) {
  const { userId, projectId } = parseScopeKey(scopeKey);
  return { userId, projectId, ...one };
}

function cursorOf({ partition, scopeId, consumer }: ReportPlace): string {
  return encodeCursor(`r${partition} ${scopeId} ${consumer}`);
}

function placeOf(after: string): ReportPlace {
  const [, partition, scopeId = '', consumer = ''] =
    PLACE.exec(Buffer.from(after, 'base64url').toString()) ?? [];
  if (partition === undefined) {
    throw new ProblemError('invalid-request', 'query.after is nothing that a page here gave as next');
  }
  return { partition: Number(partition), scopeId, consumer };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
