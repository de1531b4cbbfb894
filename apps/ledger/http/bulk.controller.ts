import { Controller } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BulkBody, JobQuery } from '#contracts';
import { type Job, Tail } from '#log';
import { Bulk } from '../bulk.js';
import { anonymous } from '../caller.js';
import { keyedRequest } from './request-key.js';
import { Route } from './route.js';

type OfJob = FastifyRequest<{ Params: { jobId: string }; Querystring: JobQuery }>;

/** For operators: what concerns many sessions at once. */
@Controller()
export class BulkController {
  constructor(
    private readonly bulk: Bulk,
    private readonly tail: Tail,
  ) {}

  @Route('startBulk')
  async start(request: FastifyRequest<{ Body: BulkBody }>, reply: FastifyReply) {
    const job = await this.bulk.order(anonymous, request.body, keyedRequest('startBulk', request));
    reply.code(202).header('location', `/v1/bulk/${job.id}`).send(this.shown(job));
  }

  @Route('bulkJob')
  async job(request: OfJob, reply: FastifyReply) {
    const { wait = 0 } = request.query;
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    reply.send(this.shown(await this.bulk.read(anonymous, request.params.jobId, wait, gone.signal)));
  }

  private shown(job: Job) {
    const { id, select, action, reason, counts, createdAt, updatedAt, finishedAt } = job;
    return {
      jobId: id,
      state: finishedAt ? 'finished' : 'open',
      select,
      action,
      reason,
      counts,
      partitions: { done: job.after.partition, of: this.tail.partitions },
      createdAt,
      updatedAt,
      finishedAt,
    };
  }
}
