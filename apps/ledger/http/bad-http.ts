import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ProblemCode, problemBody } from '#protocol';

/** Answers what is no HTTP that could become a request, with a problem as everywhere else. */
export function answerBadHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const problem = problemBody({ code: codeOf(error.code) });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function codeOf(fault: string | undefined): ProblemCode {
  if (fault === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  return fault === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'invalid-http';
}
