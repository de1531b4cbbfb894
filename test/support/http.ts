import { request } from 'node:http';

/** One answer, read to its end. */
export interface Reply<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON; undefined when it is none. */
  body: Body;
}

export interface Call {
  method?: string;
  /** Sent as JSON; a string or bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** In place of the global one. */
  send?: typeof fetch;
}

/** Asks for an address and reads the whole answer. Without a method: POST with a body, GET without. */
export async function ask<Body = Record<string, unknown>>(
  address: string,
  { method, body, headers, signal, send = fetch }: Call = {},
): Promise<Reply<Body>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await send(address, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && {
      body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
    }),
    signal: signal ?? AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) as Body };
}

/** The status of a GET that is asked from another address of this machine, in plain HTTP. */
export function statusFrom(
  localAddress: string,
  address: string,
  headers: Record<string, string>,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(address, { localAddress, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
