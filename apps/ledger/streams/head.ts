import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';

/**
 * Answers HEAD in place of a body that is streamed, and reads nothing of it (RFC 9110, section 9.3.2): Fastify would
 * read one that ends up to its end, and wait for one that does not. False when the body is asked for.
 */
export function answersHead(reply: FastifyReply, headers: OutgoingHttpHeaders): boolean {
  if (reply.request.method !== 'HEAD') return false;
  reply.hijack();
  reply.raw.writeHead(200, headers).end();
  return true;
}
