import { ask } from '../support/http.js';
import type { Asked, Operation } from './operation.js';
import { readAnswer } from './reading-answers.js';
import { Together } from './running/together.js';

/** Sends requests and keeps what was sent, when, and what came back. One clock for all. */
export class Recorder {
  readonly operations: Operation[] = [];
  private readonly began = performance.now();
  private readonly together: readonly Together[];

  /** `addresses`: where the replicas are reached. */
  constructor(private readonly addresses: readonly string[]) {
    this.together = addresses.map((address) => new Together(address));
  }

  /** How many went in lists. */
  get listed(): number {
    return this.together.reduce((sum, { listed }) => sum + listed, 0);
  }

  /** Milliseconds since it began. */
  now(): number {
    return performance.now() - this.began;
  }

  /**
   * Sends one request, by itself or with others that are sent so at the time. Its answer, or that none came within
   * `patienceMs`, is in the history.
   */
  async send(
    client: string,
    replica: number,
    asked: Asked,
    patienceMs: number,
    way: 'alone' | 'together' = 'alone',
  ): Promise<Operation> {
    const operation: Operation = {
      number: 0,
      client,
      replica,
      asked,
      askedAt: this.now(),
      answeredAt: Number.POSITIVE_INFINITY,
    };
    try {
      const signal = AbortSignal.timeout(patienceMs);
      const alone = () =>
        ask(`${this.addresses[replica]}${asked.path}`, {
          method: asked.method,
          ...(asked.body && { body: asked.body }),
          ...(asked.key !== undefined && { headers: { 'idempotency-key': asked.key } }),
          signal,
        });
      const others = way === 'together' ? this.together[replica] : undefined;
      const reply = await (others ? others.ask(asked, patienceMs, alone) : alone());
      operation.answeredAt = this.now();
      const answer = readAnswer(asked, reply);
      if (answer) operation.answer = answer;
      else operation.lost = 'it broke off';
    } catch (error) {
      operation.answeredAt = this.now();
      const { name, message, cause } = error as Error;
      const { code } = (cause ?? {}) as { code?: string };
      operation.lost = name === 'TimeoutError' ? `gave up after ${patienceMs} ms` : (code ?? message);
    }
    operation.number = this.operations.push(operation);
    return operation;
  }
}
