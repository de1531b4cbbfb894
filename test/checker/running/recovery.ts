import { fateOf, isCommand, type Operation } from '../operation.js';

/** How long replicas took to obey again after a fault, in milliseconds. */
export interface Recovery {
  kind: string;
  /** Until each replica had obeyed a command of each partition; undefined when one did not within the time. */
  ms: number | undefined;
}

/** Watches the history for the first command that each replica obeys in each partition after a moment. */
export class RecoveryWatch {
  private readonly missing: Set<string>;
  private seen: number;
  private last = 0;

  constructor(
    private readonly operations: readonly Operation[],
    private readonly since: number,
    replicas: number,
    partitions: number,
  ) {
    this.seen = operations.length;
    this.missing = new Set(
      Array.from(
        { length: replicas * partitions },
        (_, index) => `${Math.floor(index / partitions)}:${index % partitions}`,
      ),
    );
  }

  /** Milliseconds from the moment until all have obeyed; undefined while some have not. */
  look(): number | undefined {
    for (; this.seen < this.operations.length; this.seen++) {
      const operation = this.operations[this.seen];
      if (!operation || !isCommand(operation) || fateOf(operation) !== 'obeyed') continue;
      const place = `${operation.replica}:${operation.answer?.position?.partition}`;
      if (this.missing.delete(place)) this.last = Math.max(0, operation.answeredAt - this.since);
    }
    return this.missing.size === 0 ? this.last : undefined;
  }

  /** Replicas and partitions that have not obeyed yet. */
  get waitingFor(): string[] {
    return [...this.missing];
  }
}
