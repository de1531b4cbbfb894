import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ProblemCode, problemBody } from '#api';

/** What the HTTP parser says of what it cannot take. */
interface BadHttp extends Error {
  code?: string;
  /** Bytes: what came, with what it stopped at. */
  rawPacket?: unknown;
}

/** Answers what is no HTTP that could become a request, with a problem as everywhere else. */
export function answerBadHttp(error: BadHttp, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) closeSoon(socket);
  else answer(codeOf(error), socket);
}

/** The ledger is no proxy. */
export function answerConnect(socket: Socket): void {
  answer('unknown-method', socket);
}

/** How long the reader of such an answer may take, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Whatever else was sent is thrown away meanwhile: closing a socket with bytes that nobody has read takes back
 * what is on its way to the other side.
 */
function answer(code: ProblemCode, socket: Socket): void {
  const problem = problemBody({ code });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  closeSoon(socket);
}

/** Closes a socket to which the last has been written, whether the other side does so or not. */
function closeSoon(socket: Socket): void {
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

/** A request line whose method is none that the parser knows. */
const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]{1,64} \S+ HTTP\/1\.[01]\r?\n/;

function codeOf({ code, rawPacket }: BadHttp): ProblemCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request-timeout';
    case 'HPE_INVALID_METHOD':
      return REQUEST_LINE.test(String(rawPacket)) ? 'unknown-method' : 'invalid-http';
    default:
      return 'invalid-http';
  }
}
