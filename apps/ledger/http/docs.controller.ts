import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Redirect, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { asyncApi, openApi } from '#api/schemas';
import { RunningLedger } from '../running-ledger.js';
import { version } from '../version.js';

// The build puts them there: the service needs nothing of the package that they are from.
const { resolve } = createRequire(import.meta.url);
const style = resolve('#docs-page/swagger-ui.css');
const script = resolve('#docs-page/swagger-ui-bundle.js');

/** The page loads the description beside it and nothing from elsewhere. */
const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Session Ledger API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true });</script></body>
</html>`;

/** The API's description, for programs and for people. */
@Controller()
export class DocsController {
  private readonly description = JSON.stringify(openApi(version));
  private readonly events: string;

  constructor(ledger: RunningLedger) {
    this.events = JSON.stringify(asyncApi(version, ledger.topic));
  }

  /** Whoever opens the address in a browser is shown what there is. */
  @Get('/')
  @Redirect('/docs', 302)
  root(): void {}

  @Get('/openapi.json')
  openApi(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'application/json').send(this.description);
  }

  @Get('/asyncapi.json')
  asyncApi(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'application/json').send(this.events);
  }

  @Get('/docs')
  docs(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'text/html; charset=utf-8').send(page);
  }

  @Get('/docs/swagger-ui.css')
  style(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'text/css').send(createReadStream(style));
  }

  @Get('/docs/swagger-ui-bundle.js')
  script(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'text/javascript').send(createReadStream(script));
  }
}
