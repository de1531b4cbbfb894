// Sends requests from a process of its own, so that neither side shares a thread with its load.
import { randomInt, randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { bearer } from './bearer.js';
import { lot } from './leases.js';
import { ALL, type Range, SCOPES, scopeNumber, startBody } from './scopes.js';

/** One turn of load on 127.0.0.1. */
export interface LoadOrder {
  port: number;
  path: string;
  /**
   * `start`: POST a session for one of all scopes. `current`: GET what is current in one of those that exist.
   * `renew`: POST the renewal of a lot of `sessions`, of epoch 1, of which each has to be renewed.
   */
  kind: 'start' | 'current' | 'renew';
  /** Where to start: in one of all scopes unless said otherwise. */
  scopes?: Range;
  /** Whether each start has an idempotency key of its own. */
  keyed?: boolean;
  /** How many scopes exist. */
  existing?: number;
  /** In random order. */
  sessions?: readonly string[];
  connections: number;
  ms: number;
  /** Who asks, where the service wants to know. */
  token?: string | undefined;
}

export interface LoadReport {
  /** Of every answer within the turn, in milliseconds. */
  latencies: number[];
  /** Why the figures count for nothing. */
  failure?: string;
}

/** Until all connections are open and busy; not measured. */
const RAMP_MS = 100;
/** How often autocannon looks whether it is time to stop. */
const SAMPLE_MS = 20;

type Request = autocannon.Request;

const requests: Record<LoadOrder['kind'], (order: LoadOrder) => (request: Request) => Request> = {
  start: ({ keyed, scopes = ALL, token }) => {
    const headers = { 'content-type': 'application/json', ...bearer(token) };
    return (request) => {
      request.body = JSON.stringify(startBody(randomInt(...scopes)));
      request.headers = keyed ? { ...headers, 'idempotency-key': randomUUID() } : headers;
      return request;
    };
  },
  current: ({ path, existing = SCOPES }) => {
    return (request) => {
      const { userId, projectId } = scopeNumber(randomInt(existing));
      request.path = `${path}?userId=${userId}&projectId=${encodeURIComponent(projectId)}`;
      return request;
    };
  },
  renew: ({ sessions = [], token }) => {
    const headers = { 'content-type': 'application/json', ...bearer(token) };
    return (request) => {
      request.body = JSON.stringify(lot(sessions).map((sessionId) => ({ sessionId, epoch: 1 })));
      request.headers = headers;
      return request;
    };
  },
};

async function load(order: LoadOrder): Promise<LoadReport> {
  const { port, path, kind, connections, ms } = order;
  let refused = 0;
  // What is not obeyed stands in a list of results that is answered 200 all the same.
  const onResponse = (_status: number, body: string) => {
    if (body.includes('"problem"')) refused += 1;
  };
  const asked: Request = {
    method: kind === 'current' ? 'GET' : 'POST',
    path,
    headers: bearer(order.token),
    setupRequest: requests[kind](order),
    ...(kind === 'renew' && { onResponse }),
  };
  const options: autocannon.Options = {
    url: `http://127.0.0.1:${port}`,
    connections,
    duration: (RAMP_MS + ms) / 1_000,
    sampleInt: SAMPLE_MS,
    timeout: 5,
    requests: [asked],
  };
  const from = performance.now() + RAMP_MS;
  const latencies: number[] = [];
  const { errors, non2xx, statusCodeStats } = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    run.on('response', (_client, _status, _bytes, latency) => {
      const now = performance.now();
      if (now >= from && now < from + ms) latencies.push(latency);
    });
  });
  const failed = errors + non2xx + refused > 0;
  return {
    latencies,
    ...(failed && {
      failure: `${errors} errors, ${refused} refused, answers ${JSON.stringify(statusCodeStats)}`,
    }),
  };
}

process.on('message', (order: LoadOrder) => {
  load(order).then(
    (report) => process.send?.(report),
    (error) => process.send?.({ latencies: [], failure: String(error) } satisfies LoadReport),
  );
});
process.on('disconnect', () => process.exit(0));
