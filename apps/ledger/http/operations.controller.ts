import { Controller, Get, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Metrics } from '../metrics.js';
import { RunningLedger } from '../running-ledger.js';

/** For those who run the service. */
@Controller()
export class OperationsController {
  constructor(
    private readonly ledger: RunningLedger,
    private readonly metrics: Metrics,
  ) {}

  @RouteConfig({ needs: 'nothing' })
  @Get('/health/live')
  live() {
    return { live: true };
  }

  /** Why, and what else there is to know, is for who may know of all tenants. */
  @RouteConfig({ needs: 'nothing' })
  @Get('/health/ready')
  async ready(@Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    const readiness = await this.ledger.readiness();
    const { ready } = readiness;
    const mayKnow = request.asking.caller.permissions.has('audit');
    reply.code(ready ? 200 : 503).send(mayKnow ? readiness : { ready });
  }

  @RouteConfig({ needs: ['audit'] })
  @Get('/metrics')
  async scrape(@Res() reply: FastifyReply) {
    const { registry } = this.metrics;
    reply.header('content-type', registry.contentType).send(await registry.metrics());
  }
}
