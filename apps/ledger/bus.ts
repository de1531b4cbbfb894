import {
  Command,
  CommandHandler,
  type ICommandHandler,
  type IQueryHandler,
  Query,
  QueryHandler,
} from '@nestjs/cqrs';
import type { Answer, Latest, ScopePlace, Submission } from '#api';
import { CurrentReader, LedgerWriter } from '#log';

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
