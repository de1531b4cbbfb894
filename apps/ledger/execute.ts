import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Answer, LedgerWriter, type Submission } from '#log';

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
