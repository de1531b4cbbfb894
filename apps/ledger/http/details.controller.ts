import { Controller } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ScopeQuery } from '#contracts';
import { anonymous } from '../caller.js';
import { Erasure } from '../erasure.js';
import { Route } from './route.js';

/** What may have to be forgotten. */
@Controller()
export class DetailsController {
  constructor(private readonly erasure: Erasure) {}

  @Route('eraseDetails')
  async erase(request: FastifyRequest<{ Querystring: ScopeQuery }>, reply: FastifyReply) {
    const { userId, projectId } = request.query;
    const { erased, complete } = await this.erasure.erase(anonymous, userId, projectId);
    const outcome = erased.length > 0 ? 'erased' : 'unchanged';
    const [first, ...others] = erased;
    if (first && others.length === 0) {
      reply.header('ledger-position', `${first.position.partition}:${first.position.sequence}`);
    }
    reply.header('content-type', 'application/json').send({ outcome, erased, complete });
  }
}
