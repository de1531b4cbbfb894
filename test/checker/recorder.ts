import { ask } from '../support/http.js';
import type { Asked, Operation } from './operation.js';
import { readAnswer } from './reading-answers.js';

/** Sends requests and keeps what was sent, when, and what came back. One clock for all. */
export class Recorder {
  readonly operations: Operation[] = [];
  private readonly began = performance.now();

  /** `addresses`: where the replicas are reached. */
  constructor(private readonly addresses: readonly string[]) {}

  /** Milliseconds since it began. */
  now(): number {
    return performance.now() - this.began;
  }

  /** Sends one request. Its answer, or that none came within `patienceMs`, is in the history. */
  async send(client: string, replica: number, asked: Asked, patienceMs: number): Promise<Operation> {
    const operation: Operation = {
      number: 0,
      client,
      replica,
      asked,
      askedAt: this.now(),
      answeredAt: Number.POSITIVE_INFINITY,
    };
    try {
      const reply = await ask(`${this.addresses[replica]}${asked.path}`, {
        method: asked.method,
        ...(asked.body && { body: asked.body }),
        ...(asked.key !== undefined && { headers: { 'idempotency-key': asked.key } }),
        signal: AbortSignal.timeout(patienceMs),
      });
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
