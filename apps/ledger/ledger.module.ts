import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';

import {
  CurrentReader,
  Finder,
  History,
  LedgerWriter,
  Reached,
  ReadModels,
  Reports,
  Tail,
  TimeTravel,
  UserScopes,
} from '#log';

import { Bulk } from './bulk.js';
import { Erasure } from './erasure.js';
import { ExecuteHandler } from './execute.js';
import { Faults } from './faults.js';
import { Presenter } from './http/answers.js';
import { BulkController } from './http/bulk.controller.js';
import { CommandsController } from './http/commands.controller.js';
import { DetailsController } from './http/details.controller.js';
import { DocsController } from './http/docs.controller.js';
import { FeedController } from './http/feed.controller.js';
import { HistoryController } from './http/history.controller.js';
import { LeasesController } from './http/leases.controller.js';
import { OperationsController } from './http/operations.controller.js';
import { ProblemsFilter } from './http/problems.filter.js';
import { ProjectedReads } from './http/projected-reads.js';
import { ReadsController } from './http/reads.controller.js';
import { ResolveController } from './http/resolve.controller.js';
import { StatsController } from './http/stats.controller.js';
import { Leases } from './leases.js';
import type { Ledger } from './ledger.js';
import { Metrics } from './metrics.js';
import { PastReader } from './past-reader.js';
import { ReadLatestHandler } from './read-latest.js';
import { RunningLedger } from './running-ledger.js';
import { ScopeWatch } from './streams/scope-watch.js';
import { Streams } from './streams/streams.js';
import { Submissions } from './submissions.js';

/** Wires the parts of an open ledger to its routes. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's modules are classes
export class LedgerModule {
  static of(ledger: Ledger, faults: Faults, metrics: Metrics): DynamicModule {
    const submissions = new Submissions(ledger.identity);
    const watch = new ScopeWatch(ledger.tail);
    const streams = new Streams(ledger.tail, ledger.history, watch, (error) =>
      faults.report('stream', error),
    );
    const reached = new Reached(ledger.pool);
    metrics.observe(
      ledger,
      () => streams.count,
      () => watch.waiting,
    );
    const values = [
      [RunningLedger, new RunningLedger(ledger)],
      [Faults, faults],
      [Metrics, metrics],
      [LedgerWriter, ledger.writer],
      [CurrentReader, ledger.reader],
      [History, ledger.history],
      [UserScopes, ledger.scopes],
      [Finder, ledger.finder],
      [Tail, ledger.tail],
      [ScopeWatch, watch],
      [Streams, streams],
      [Submissions, submissions],
      [Bulk, new Bulk(ledger.jobs, ledger.bulk, watch)],
      [Presenter, new Presenter(ledger.history)],
      [ReadModels, new ReadModels(ledger.pool)],
      [Reached, reached],
      [ProjectedReads, new ProjectedReads(reached, submissions)],
      [PastReader, new PastReader(new TimeTravel(ledger.pool), ledger.history)],
      [Reports, new Reports(ledger.pool)],
    ] as const;
    return {
      module: LedgerModule,
      imports: [CqrsModule.forRoot()],
      controllers: [
        CommandsController,
        LeasesController,
        ReadsController,
        HistoryController,
        StatsController,
        ResolveController,
        FeedController,
        BulkController,
        DetailsController,
        OperationsController,
        DocsController,
      ],
      providers: [
        ...values.map(([provide, useValue]) => ({ provide, useValue })),
        ExecuteHandler,
        ReadLatestHandler,
        {
          provide: Leases,
          useFactory: (commands: CommandBus) => new Leases(ledger.renewer, submissions, commands),
          inject: [CommandBus],
        },
        {
          provide: Erasure,
          useFactory: (commands: CommandBus) => new Erasure(ledger.scopes, submissions, commands),
          inject: [CommandBus],
        },
        { provide: APP_FILTER, useClass: ProblemsFilter },
      ],
    };
  }
}
