// A small Nest application whose requests are for a session. See README.md.
//   LEDGER_URL  http://127.0.0.1:4600 unless set      PORT  4800 unless set
//   LEDGER_TOKEN or LEDGER_TOKEN_FILE  a key, where the ledger wants one
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { tokenFromEnvironment } from '#client/node';
import { CaptionsController } from './captions.controller.js';
import { SessionLedgerModule } from './session-ledger.module.js';

const { LEDGER_URL = 'http://127.0.0.1:4600', PORT = '4800' } = process.env;

@Module({
  imports: [SessionLedgerModule.forRoot({ url: LEDGER_URL, token: tokenFromEnvironment() })],
  controllers: [CaptionsController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(Number(PORT), '127.0.0.1');
console.log(`Nest on http://127.0.0.1:${app.getHttpServer().address().port}/captions`);
