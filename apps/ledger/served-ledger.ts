import {
  Command,
  type CommandBus,
  CommandHandler,
  type ICommandHandler,
  type IQueryHandler,
  Query,
  type QueryBus,
  QueryHandler,
} from '@nestjs/cqrs';
import type { Answer, Growing, Latest, Ledger, Running, ScopePlace, Submission } from '#api';
import { Jobs } from '#jobs';
import { CurrentReader, LedgerWriter, type LogPages, Reports, relayStandings, replicasSeen } from '#log';
import { Reached, ReadModels } from '#projections';
import type { LoopTurns } from './loop-turns.js';
import type { Replica } from './replica.js';
import type { ScopeWatch } from './streams/scope-watch.js';
import { version } from './version.js';

/** The one envelope on the command bus: a command with what the log keeps about it. */
export class Execute extends Command<Answer> {
  constructor(readonly submission: Submission) {
    super();
  }
}

@CommandHandler(Execute)
export class ExecuteHandler implements ICommandHandler<Execute> {
  constructor(private readonly writer: LedgerWriter) {}

  execute({ submission }: Execute): Promise<Answer> {
    return this.writer.submit(submission);
  }
}

/** The one envelope on the query bus: which session of a scope is the latest, as of now or later. */
export class ReadLatest extends Query<Latest | undefined> {
  constructor(
    readonly scope: ScopePlace,
    readonly withLease: boolean,
  ) {
    super();
  }
}

@QueryHandler(ReadLatest)
export class ReadLatestHandler implements IQueryHandler<ReadLatest> {
  constructor(private readonly reader: CurrentReader) {}

  execute({ scope, withLease }: ReadLatest): Promise<Latest | undefined> {
    const { scopeKey, partition } = scope;
    return withLease ? this.reader.readLeased(scopeKey, partition) : this.reader.read(scopeKey, partition);
  }
}

/** Where Nest keeps what the operations are served from. */
export const SERVED = Symbol('the ledger that is served');

/** The ledger in Postgres, as the API's operations need it: the parts of a replica, and its buses. */
export function servedLedger(
  replica: Replica,
  watch: ScopeWatch,
  commands: CommandBus,
  queries: QueryBus,
  traffic: Running['traffic'],
): Ledger {
  const { pools, source, naming, bulk, renewer, history, finder, scopes, pages, turns } = replica;
  const jobs = { ordered: new Jobs(pools.changes), shown: new Jobs(pools.reads) };
  const reports = { kept: new Reports(pools.changes), shown: new Reports(pools.reads) };
  return {
    ...naming,
    source,
    submit: (submission) => commands.execute(new Execute(submission)),
    renew: (renewal) => renewer.renew(renewal),
    latest: (scope, withLease) => queries.execute(new ReadLatest(scope, withLease)),
    watch,
    history,
    finder,
    scopes,
    models: new ReadModels(pools.reads),
    reached: new Reached(pools.reads),
    jobs: {
      async create(order, receipt) {
        const job = await jobs.ordered.create(order, receipt);
        bulk.wake();
        return job;
      },
      read: (id, tenant) => jobs.shown.read(id, tenant),
      list: (tenant, before, limit) => jobs.shown.list(tenant, before, limit),
    },
    reports: {
      take: (tenant, taken) => reports.kept.take(tenant, taken),
      withdraw: (tenant, consumer, scope) => reports.kept.withdraw(tenant, consumer, scope),
      figures: (tenant, consumer) => reports.shown.figures(tenant, consumer),
      outOfSync: (tenant, page) => reports.shown.outOfSync(tenant, page),
    },
    tail: inTurn(pages, turns),
    keys: replica.access.keys,
    trees: replica.trees,
    running: {
      replica: { id: replica.id, since: replica.startedAt },
      version,
      accessControl: replica.access.log !== undefined,
      traffic,
      relays: () => relayStandings(pools.reads),
      replicas: () => replicasSeen(pools.reads),
    },
  };
}

/** Pages of more events than these wait their turn: each keeps the event loop busy for a millisecond. */
const FEW = 20;

function inTurn(pages: LogPages, turns: LoopTurns): Growing {
  return {
    get restores() {
      return pages.restores;
    },
    get isStandby() {
      return pages.isStandby;
    },
    heads: () => pages.heads(),
    storedHeads: () => pages.storedHeads(),
    refuseArchived: (vector) => pages.refuseArchived(vector),
    async read(partition, after, limit) {
      const events = await pages.read(partition, after, limit);
      if (events.length > FEW) await turns.nextLarge();
      return events;
    },
  };
}
