import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { FastifyServerFactory } from 'fastify';
import { problemBody, retryAfterOf } from '#api';
import { type Operation, operations } from '#api/schemas';
import type { Admission } from './admission/admission.js';
import type { Origins } from './origins.js';

/** What every answer says: nothing that is read here is for a cache, nor is it what a browser may take it for. */
export const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** How long a request's headers, and all of it, may take to arrive; how often to look. In milliseconds. */
const HEADERS_MS = 15_000;
const BODY_MS = 30_000;
const LOOK_MS = 1_000;
/** A connection without a request is closed after this. */
const IDLE_MS = 72_000;

/** Most requests that wait on one connection until those before them are answered. */
const MOST_WAITING = 100;

const OVERLOADED = { code: 'overloaded' } as const;
const REFUSAL = problemBody(OVERLOADED);
/** Text, not bytes: Node sends it in one piece with the headers. */
const BODY = JSON.stringify(REFUSAL);
const HEADERS = Object.entries({
  ...SECURITY_HEADERS,
  'content-type': 'application/problem+json',
  'content-length': String(Buffer.byteLength(BODY)),
  'retry-after': String(retryAfterOf(OVERLOADED)),
}).flat();

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Addresses that are read from with a body. */
const READ_BY_BODY = new Set(
  Object.values<Operation>(operations)
    .filter((operation) => 'reads' in operation)
    .map(({ path }) => path),
);

export interface FrontOptions {
  admission: Admission;
  origins: Origins;
  /** Undefined: plain HTTP. */
  tls: SecureContextOptions | undefined;
}

/**
 * Makes the HTTP server, which refuses what is too much in front of the framework: a refusal has to cost next to nothing, or a
 * crowd takes the time of those that were let in (docs/decisions/0024-shedding.md).
 */
export function serverBehindFront({ admission, origins, tls }: FrontOptions): FastifyServerFactory {
  const settings = {
    requireHostHeader: false, // we ask for it ourselves, with a problem
    headersTimeout: HEADERS_MS,
    requestTimeout: BODY_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: LOOK_MS,
  };
  return (handle) => {
    const listener = refusing(handle, admission, origins);
    return tls
      ? createTlsServer(
          { ...settings, ...tls, ...callersCertificates(tls), handshakeTimeout: HEADERS_MS },
          listener,
        )
      : createServer(settings, listener);
  };
}

/** Where callers need a certificate, a handshake without one fails. */
function callersCertificates({ ca }: SecureContextOptions) {
  return ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
}

function refusing(handle: RequestListener, admission: Admission, origins: Origins): RequestListener {
  const done = () => admission.done();
  const take: RequestListener = (request, response) => {
    const { url = '', method = '' } = request;
    if (url.startsWith('/v1/')) {
      const isCommand = !READING.has(method) && !READ_BY_BODY.has(url.split('?', 1)[0] as string);
      if (admission.refuses(isCommand)) return refuse(request, response, origins);
      if (isCommand) response.once('close', done);
    }
    handle(request, response);
  };
  return (request, response) => {
    if (response.socket) take(request, response);
    else waitInLine(request, response, take);
  };
}

/** How many requests wait on a connection for those that were sent before them. */
const waiting = new WeakMap<Socket, number>();

/**
 * Serves one of several requests that were sent together when those before it are answered: its answer would wait in memory until
 * they are. Whoever sends more than may wait is cut off: Node would read on, and make two objects of every line.
 */
function waitInLine(request: IncomingMessage, response: ServerResponse, take: RequestListener): void {
  const { socket } = request;
  const before = waiting.get(socket) ?? 0;
  if (before === MOST_WAITING) socket.destroy();
  if (socket.destroyed) return;
  waiting.set(socket, before + 1);
  response.once('socket', () => {
    waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
    process.nextTick(() => {
      if (!response.destroyed) take(request, response);
    });
  });
}

/** Before it is read: what else may be wrong with it does not matter. Its body is thrown away as it comes. */
function refuse({ headers }: IncomingMessage, response: ServerResponse, origins: Origins): void {
  response.writeHead(REFUSAL.status, [...HEADERS, ...origins.toldTo(headers.origin)]).end(BODY);
}
