import { LogError } from './errors.js';
import { Lane, type LaneOptions, type Waiting } from './lane.js';
import type { Answer, Submission } from './submission.js';

export interface WriterOptions extends LaneOptions {
  /** Lanes of this replica; each has its own partitions and one connection. */
  lanes: number;
  /** How long a command may wait for its turn, in milliseconds. */
  deadlineMs: number;
}

/** Takes commands from everywhere, and gives each to the lane of its partition. */
export class LedgerWriter {
  private readonly lanes: Lane[];
  private closing = false;

  constructor(private readonly options: WriterOptions) {
    this.lanes = Array.from({ length: options.lanes }, () => new Lane(options));
  }

  /**
   * Resolves once the command's events are durable, or at once known to be none. Rejects with LogError:
   * `overloaded`, `timeout`, `unavailable`, `rejected` and `closing` were not obeyed; `unknown-outcome` may
   * have been.
   */
  submit(submission: Submission): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.closing) return reject(new LogError('closing', 'The service is stopping.'));
      const deadline = performance.now() + this.options.deadlineMs;
      const waiting: Waiting = Object.assign(submission, { deadline, resolve, reject });
      this.lanes[submission.partition % this.lanes.length]!.push(waiting);
    });
  }

  /** Commands that wait for their batch. */
  get waiting(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /** Milliseconds that its lanes have worked on commands until now, added up. */
  get workedMs(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.workedMs, 0);
  }

  /** Refuses new commands, and resolves when all others are answered. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }
}
