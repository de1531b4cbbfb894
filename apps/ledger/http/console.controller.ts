import { Controller, Get, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConsoleFiles } from './console-files.js';

/** The console. Its files are the same for everybody; what they show is asked for with the reader's own credential. */
@Controller()
export class ConsoleController {
  private readonly files = new ConsoleFiles();

  @RouteConfig({ needs: 'nothing' })
  @Get('/console')
  page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.send('', request, reply);
  }

  @RouteConfig({ needs: 'nothing' })
  @Get('/console/*')
  file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.send((request.params as { '*': string })['*'], request, reply);
  }

  private send(path: string, { headers: asked }: FastifyRequest, reply: FastifyReply): void {
    const { status, headers, body } = this.files.find(path, String(asked['accept-encoding'] ?? ''));
    reply.code(status).headers(headers).send(body);
  }
}
