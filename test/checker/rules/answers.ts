import type { Violation } from '../violation.js';
import type { Evidence } from './evidence.js';

/** No request of ours is one that the service may fail on, and no answer has a form that is described nowhere. */
export function answers({ operations }: Pick<Evidence, 'operations'>): Violation[] {
  return operations.flatMap((operation) => {
    const { strange, code, status = 0 } = operation.answer ?? {};
    const fault =
      strange ?? (code === 'internal' || status === 400 ? `it is answered ${status} ${code}` : undefined);
    return fault ? [{ rule: 'answers', message: fault, operations: [operation] }] : [];
  });
}
