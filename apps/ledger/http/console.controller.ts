import { Controller, Get, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConsoleFiles } from './console-files.js';

const ROOT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const rootPage = (hasConsole: boolean) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Session Ledger</title></head>
<body><main><h1>Session Ledger</h1>
<ul>${hasConsole ? '\n<li><a href="/console">Console</a>: who owns what, why, and what was refused</li>' : ''}
<li><a href="/docs">API</a>: every request and answer; <a href="/openapi.json">as OpenAPI</a></li>
<li><a href="/health/ready">Health</a></li>
</ul></main></body>
</html>`;

/** The console. Its files are the same for everybody; what they show is asked for with the reader's own credential. */
@Controller()
export class ConsoleController {
  private readonly files = new ConsoleFiles();

  /** Whoever opens the address in a browser is shown what there is. */
  @RouteConfig({ needs: 'nothing' })
  @Get('/')
  root(@Res() reply: FastifyReply): void {
    reply
      .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': ROOT_POLICY })
      .send(rootPage(this.files.isBuilt));
  }

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
