import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { CurrentReader, type Latest } from '#log';
import type { ScopeKey } from '#session';

/** The one envelope on the query bus: which session of a scope is the latest, as of now or later. */
export class ReadLatest extends Query<Latest | undefined> {
  constructor(
    readonly scopeKey: ScopeKey,
    readonly partition: number,
  ) {
    super();
  }
}

@QueryHandler(ReadLatest)
export class ReadLatestHandler implements IQueryHandler<ReadLatest> {
  constructor(private readonly reader: CurrentReader) {}

  execute({ scopeKey, partition }: ReadLatest): Promise<Latest | undefined> {
    return this.reader.read(scopeKey, partition);
  }
}
