import { Controller } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CheckpointBody, InvalidBody, ScopeQuery, UsageBody } from '#contracts';
import { History } from '#log';
import { anonymous } from '../caller.js';
import { Execute } from '../execute.js';
import { Submissions } from '../submissions.js';
import { Presenter } from './answers.js';
import { keyedRequest } from './request-key.js';
import { Route } from './route.js';

type OfSession<Body> = FastifyRequest<{ Params: { sessionId: string }; Body: Body }>;

/** What is told about the sessions of a chain: what they used, that one cannot be continued, where to return to. */
@Controller()
export class ChainController {
  constructor(
    private readonly commands: CommandBus,
    private readonly history: History,
    private readonly submissions: Submissions,
    private readonly presenter: Presenter,
  ) {}

  @Route('recordUsage')
  recordUsage(request: OfSession<UsageBody>, reply: FastifyReply) {
    const { sessionId } = request.params;
    return this.execute(request, reply, { type: 'RecordUsage', sessionId, ...request.body });
  }

  @Route('markCheckpoint')
  markCheckpoint(request: OfSession<CheckpointBody>, reply: FastifyReply) {
    const { sessionId } = request.params;
    return this.execute(request, reply, { type: 'MarkCheckpoint', sessionId, ...request.body });
  }

  @Route('reportInvalid')
  reportInvalid(request: OfSession<InvalidBody>, reply: FastifyReply) {
    const { sessionId } = request.params;
    const { fallback = 'latest-valid', ...body } = request.body;
    const successorId = this.submissions.successorOf(sessionId);
    return this.execute(request, reply, { type: 'ReportInvalid', sessionId, successorId, fallback, ...body });
  }

  @Route('checkpoints')
  async checkpoints(request: FastifyRequest<{ Querystring: ScopeQuery }>, reply: FastifyReply) {
    const { userId, projectId } = request.query;
    const { scopeKey, partition } = this.submissions.scope(anonymous, userId, projectId);
    const checkpoints = await this.history.checkpoints(partition, scopeKey);
    reply.header('content-type', 'application/json').send({ checkpoints });
  }

  private async execute(
    request: FastifyRequest,
    reply: FastifyReply,
    draft: Parameters<Submissions['forSession']>[1],
  ): Promise<void> {
    const submission = this.submissions.forSession(anonymous, draft, keyedRequest(request));
    await this.presenter.answer(reply, await this.commands.execute(new Execute(submission)));
  }
}
