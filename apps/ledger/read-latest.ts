import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { CurrentReader, type Latest } from '#log';
import type { ScopeKey } from '#session';

/** The one envelope on the query bus: which session of a scope is the latest, as of now or later. */
export class ReadLatest extends Query<Latest | undefined> {
  constructor(
    readonly scopeKey: ScopeKey,
    readonly partition: number,
    readonly withLease = false,
  ) {
    super();
  }
}

@QueryHandler(ReadLatest)
export class ReadLatestHandler implements IQueryHandler<ReadLatest> {
  constructor(private readonly reader: CurrentReader) {}

  execute({ scopeKey, partition, withLease }: ReadLatest): Promise<Latest | undefined> {
    return withLease ? this.reader.readLeased(scopeKey, partition) : this.reader.read(scopeKey, partition);
  }
}
