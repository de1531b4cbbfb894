import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Metrics } from '../metrics.js';
import { RunningLedger } from '../running-ledger.js';

/** For those who run the service. */
@Controller()
export class OperationsController {
  constructor(
    private readonly ledger: RunningLedger,
    private readonly metrics: Metrics,
  ) {}

  @Get('/health/live')
  live() {
    return { live: true };
  }

  @Get('/health/ready')
  async ready(@Res() reply: FastifyReply) {
    const readiness = await this.ledger.readiness();
    reply.code(readiness.ready ? 200 : 503).send(readiness);
  }

  @Get('/metrics')
  async scrape(@Res() reply: FastifyReply) {
    const { registry } = this.metrics;
    reply.header('content-type', registry.contentType).send(await registry.metrics());
  }
}
