import { Server as TlsServer } from 'node:https';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Faults } from './faults.js';
import { Admission } from './http/admission/admission.js';
import { TenantTurns } from './http/admission/tenant-turns.js';
import { fastifyAdapter } from './http/fastify.js';
import { type OriginSettings, Origins } from './http/origins.js';
import { RequestMetrics } from './http/request-metrics.js';
import { bindOperations } from './http/route.js';
import { followFiles, readTls, type TlsFiles } from './http/tls.js';
import { LedgerModule } from './ledger.module.js';
import type { Metrics } from './metrics.js';
import type { Replica } from './replica.js';
import { RunningLedger } from './running-ledger.js';
import { SERVED } from './served-ledger.js';
import { ScopeWatch } from './streams/scope-watch.js';
import { Streams } from './streams/streams.js';
import type { Tracing } from './tracing.js';

/** The service over an open ledger. */
export interface App {
  /** Resolves with the port once requests are taken. */
  listen(port: number, host: string): Promise<number>;
  /** Takes no new requests, ends the streams and answers what was accepted. */
  close(): Promise<void>;
}

interface AppSettings {
  origins: OriginSettings;
  tls: TlsFiles | undefined;
  tracing: Tracing | undefined;
  logger: LoggerService;
}

export async function createApp(
  ledger: Replica,
  faults: Faults,
  metrics: Metrics,
  { origins, tls, tracing, logger }: AppSettings,
): Promise<App> {
  const requests = new RequestMetrics(metrics.registry);
  const secure = tls && readTls(tls);
  const turns = new TenantTurns();
  const admission = new Admission({
    aside: () => ledger.writer.heldCommands + turns.waitingCommands,
    onShed(why, count) {
      metrics.shed.inc({ why }, count);
      requests.refused(undefined, { code: 'overloaded' }, undefined, count);
    },
  });
  admission.start();
  const { access, log } = ledger.access;
  const app = await NestFactory.create<NestFastifyApplication>(
    LedgerModule.of(ledger, faults, metrics, requests),
    fastifyAdapter({
      access,
      admission,
      origins: new Origins(origins),
      metrics: requests,
      log,
      tracing,
      tls: secure,
    }),
    {
      bodyParser: false,
      logger,
      abortOnError: false,
    },
  );
  bindOperations(app, app.get(SERVED), app.get(Streams), access, admission, turns, requests, faults);
  await app.init();
  const server: unknown = app.getHttpServer();
  if (tls && secure && server instanceof TlsServer)
    followFiles(server, tls, secure, (level, line) => faults.log(level, line));
  return {
    async listen(port, host) {
      // Fastify's own: Nest's also logs what it throws.
      await (app.getHttpAdapter().getInstance() as FastifyInstance).listen({ port, host });
      const address = app.getHttpServer().address();
      return typeof address === 'object' && address ? address.port : port;
    },
    async close() {
      app.get(RunningLedger).stop();
      app.get(Streams).close();
      app.get(ScopeWatch).close();
      // Whoever is answered from here on and keeps the connection would hold up the end: it goes with the answer.
      app.getHttpServer().keepAliveTimeout = 1;
      await app.close();
      admission.close();
    },
  };
}
