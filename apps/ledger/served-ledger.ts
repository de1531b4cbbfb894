import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Ledger } from '#api';
import { Reports } from '#log';
import { Reached, ReadModels } from '#projections';
import { Execute, ReadLatest } from './bus.js';
import type { Replica } from './replica.js';
import type { ScopeWatch } from './streams/scope-watch.js';

/** Where Nest keeps what the operations are served from. */
export const SERVED = Symbol('the ledger that is served');

/** The ledger in Postgres, as the API's operations need it: the parts of a replica, and its buses. */
export function servedLedger(
  replica: Replica,
  watch: ScopeWatch,
  commands: CommandBus,
  queries: QueryBus,
): Ledger {
  const { pool, source, naming, jobs, bulk, renewer, history, finder, scopes, tail } = replica;
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
    models: new ReadModels(pool),
    reached: new Reached(pool),
    jobs: {
      async create(order, receipt) {
        const job = await jobs.create(order, receipt);
        bulk.wake();
        return job;
      },
      read: (id, tenant) => jobs.read(id, tenant),
    },
    reports: new Reports(pool),
    tail,
    keys: replica.access.keys,
  };
}
