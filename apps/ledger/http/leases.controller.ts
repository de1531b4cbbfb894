import { Controller } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RenewBody, RenewManyBody } from '#contracts';
import type { Renewal } from '#log';
import { ProblemError, problemBody } from '#protocol';
import { anonymous } from '../caller.js';
import { Leases } from '../leases.js';
import { problemOf } from './answers.js';
import { sendProblem } from './problems.filter.js';
import { Route } from './route.js';

/** Renewals: they write no event, so their answers are small. */
@Controller()
export class LeasesController {
  constructor(private readonly leases: Leases) {}

  @Route('renewLease')
  async renew(
    request: FastifyRequest<{ Params: { sessionId: string }; Body: RenewBody }>,
    reply: FastifyReply,
  ) {
    const { sessionId } = request.params;
    const renewed = await this.leases.renew(anonymous, { sessionId, epoch: request.body.epoch });
    if ('answer' in renewed) return sendProblem(reply, problemOf(renewed.answer));
    reply
      .header('content-type', 'application/json')
      .send({ outcome: 'renewed', sessionId, until: renewed.until });
  }

  @Route('renewLeases')
  async renewMany(request: FastifyRequest<{ Body: RenewManyBody }>, reply: FastifyReply) {
    const { body } = request;
    if (new Set(body.map(({ sessionId }) => sessionId)).size < body.length) {
      throw new ProblemError('invalid-request', 'body names a session twice');
    }
    const results = await Promise.all(body.map((renewal) => this.result(renewal)));
    reply.header('content-type', 'application/json').send({ results });
  }

  /** One lease's result: what is wrong with it is no problem of the others. */
  private async result(renewal: Renewal) {
    const { sessionId } = renewal;
    const renewed = await this.leases.renew(anonymous, renewal);
    if ('until' in renewed) return { outcome: 'renewed', sessionId, until: renewed.until };
    return { sessionId, problem: problemBody(problemOf(renewed.answer)) };
  }
}
