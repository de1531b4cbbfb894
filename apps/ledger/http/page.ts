import type { FastifyReply } from 'fastify';

/**
 * Answers with one page of events. `next`: what to ask for with `after`, when there may be more. `restores`: of the past
 * that they are from, since a number alone says of none.
 */
export function sendPage(
  reply: FastifyReply,
  events: readonly string[],
  next: number | false | undefined,
  restores: number,
): void {
  reply
    .header('content-type', 'application/json')
    .header('ledger-restores', restores)
    .send(`{"events":[${events.join(',')}]${next ? `,"next":${next}` : ''}}`);
}
