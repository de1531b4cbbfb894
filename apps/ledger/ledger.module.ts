import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CommandBus, CqrsModule, QueryBus } from '@nestjs/cqrs';
import { CurrentReader, LedgerWriter } from '#log';
import { partitionOf } from '#session';
import { Faults } from './faults.js';
import { observe } from './gauges.js';
import { ConsoleController } from './http/console.controller.js';
import { DocsController } from './http/docs.controller.js';
import { OperationsController } from './http/operations.controller.js';
import { ProblemsFilter } from './http/problems.filter.js';
import type { RequestMetrics } from './http/request-metrics.js';
import { Metrics } from './metrics.js';
import type { Replica } from './replica.js';
import { RunningLedger } from './running-ledger.js';
import { ExecuteHandler, ReadLatestHandler, SERVED, servedLedger } from './served-ledger.js';
import { ScopeWatch } from './streams/scope-watch.js';
import { Streams } from './streams/streams.js';

/** Wires the parts of a replica to what is served from them. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's modules are classes
export class LedgerModule {
  static of(replica: Replica, faults: Faults, metrics: Metrics, requests: RequestMetrics): DynamicModule {
    const { tail, pages, turns, writer, reader, naming } = replica;
    const watch = new ScopeWatch(tail);
    const streams = new Streams({
      ...{ tail, pages, turns, access: replica.access.access },
      latest: (scopeKey) => reader.read(scopeKey, partitionOf(scopeKey, naming.partitions)),
      onFault: (error) => faults.report('stream', error),
    });
    const running = new RunningLedger(replica);
    observe(
      metrics,
      replica,
      () => streams.count,
      () => watch.waiting,
      () => running.standbyLag(),
    );
    const values = [
      [RunningLedger, running],
      [Faults, faults],
      [Metrics, metrics],
      [LedgerWriter, writer],
      [CurrentReader, reader],
      [ScopeWatch, watch],
      [Streams, streams],
    ] as const;
    return {
      module: LedgerModule,
      imports: [CqrsModule.forRoot()],
      controllers: [OperationsController, DocsController, ConsoleController],
      providers: [
        ...values.map(([provide, useValue]) => ({ provide, useValue })),
        ExecuteHandler,
        ReadLatestHandler,
        {
          provide: SERVED,
          useFactory: (commands: CommandBus, queries: QueryBus) =>
            servedLedger(replica, watch, commands, queries, (tenant) => requests.traffic(tenant)),
          inject: [CommandBus, QueryBus],
        },
        { provide: APP_FILTER, useClass: ProblemsFilter },
      ],
    };
  }
}
