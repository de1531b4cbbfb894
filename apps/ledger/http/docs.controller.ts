import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { asyncApi, openApi } from '#api/schemas';
import { RunningLedger } from '../running-ledger.js';
import { version } from '../version.js';

// The build puts them there: the service needs nothing of the package that they are from.
const { resolve } = createRequire(import.meta.url);
const style = resolve('#docs-page/swagger-ui.css');
const script = resolve('#docs-page/swagger-ui-bundle.js');

const start = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true });";

/** The page loads the description beside it and nothing from elsewhere; its own style is what Swagger UI sets on elements. */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash('sha256').update(start).digest('base64')}'`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Session Ledger API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script>${start}</script></body>
</html>`;

/** The API's description, for programs and for people. */
@Controller()
export class DocsController {
  private readonly description = JSON.stringify(openApi(version));
  private readonly events: string;

  constructor(ledger: RunningLedger) {
    this.events = JSON.stringify(asyncApi(version, ledger.topic));
  }

  @RouteConfig({ needs: 'nothing' })
  @Get('/openapi.json')
  openApi(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'application/json').send(this.description);
  }

  @RouteConfig({ needs: ['audit'] })
  @Get('/asyncapi.json')
  asyncApi(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'application/json').send(this.events);
  }

  @RouteConfig({ needs: 'nothing' })
  @Get('/docs')
  docs(@Res() reply: FastifyReply): void {
    reply
      .headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY })
      .send(page);
  }

  @RouteConfig({ needs: 'nothing' })
  @Get('/docs/swagger-ui.css')
  style(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'text/css').send(createReadStream(style));
  }

  @RouteConfig({ needs: 'nothing' })
  @Get('/docs/swagger-ui-bundle.js')
  script(@Res() reply: FastifyReply): void {
    reply.header('content-type', 'text/javascript').send(createReadStream(script));
  }
}
