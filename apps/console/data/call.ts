import { type OperationId, type Operations, type Problem, routes } from '#client';
import { authorization, currentAccess, maySend, usedCredential, wasRefused } from './credential';

/** The service refused, or did not answer. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly status: number,
    message: string,
    readonly problem?: Problem,
  ) {
    super(message);
  }
}

/** What to tell somebody where it is asked again until there is an answer. */
export const troubleOf = (error: unknown): string =>
  reasonOf(error) + (error instanceof Refused && error.status === 0 ? ' The page retries by itself.' : '');

/** What to tell somebody of what went wrong. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type Member<Id extends OperationId, Name extends string> = Operations[Id] extends {
  [K in Name]?: infer Value;
}
  ? Value
  : undefined;
interface Sent<Id extends OperationId> {
  params?: Member<Id, 'params'>;
  query?: Member<Id, 'query'>;
  body?: Member<Id, 'body'>;
  /** What is sent again under it is done once. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

const WAIT_MS = 20_000;

/** Asks the service that the page came from. An answer without body is undefined. */
export async function call<Id extends OperationId>(
  id: Id,
  { params, query, body, idempotencyKey, signal }: Sent<Id> = {},
): Promise<Operations[Id]['answer']> {
  const { method, path } = routes[id];
  const named = Object.entries(params ?? {}).reduce(
    (address, [name, value]) => address.replace(`:${name}`, encodeURIComponent(String(value))),
    path as string,
  );
  const asked = await send(`${named}${queryOf(query ?? {})}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  try {
    const text = await asked.text();
    return (text === '' ? undefined : JSON.parse(text)) as Operations[Id]['answer'];
  } catch {
    signal?.throwIfAborted();
    throw new Refused(0, 'The answer was cut off, or this page cannot read it.');
  }
}

interface Request extends Omit<RequestInit, 'signal' | 'headers'> {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Its answer has no end: the deadline is for its beginning alone. */
  isStream?: boolean;
  /** A credential to try in place of the page's own. */
  tries?: string;
}

/**
 * Rejects with what the service says when it refuses. A request without a credential that counts was not obeyed: it waits
 * until somebody signs in, and is then sent again, unless that is somebody else than who asked.
 */
export async function send(address: string, request: Request): Promise<Response> {
  const { signal = new AbortController().signal } = request;
  const { tries } = request;
  const { turn } = currentAccess();
  for (;;) {
    if (tries === undefined) await maySend(signal);
    if (turn !== currentAccess().turn) throw new Error('Another caller has signed in.');
    const used = usedCredential();
    const response = await sendOnce(address, request, signal);
    if (response.ok) return response;
    const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
    const why = problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`;
    const isAskedWho = response.headers.has('www-authenticate');
    if (!isAskedWho || tries !== undefined) throw new Refused(response.status, why, problem);
    wasRefused(used, why);
  }
}

async function sendOnce(
  address: string,
  { isStream, tries, ...init }: Request,
  signal: AbortSignal,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), WAIT_MS);
  try {
    return await fetch(address, {
      ...init,
      headers: { ...authorization(tries), ...init.headers },
      signal: AbortSignal.any([late.signal, signal]),
      cache: 'no-store',
      credentials: 'omit',
    });
  } catch {
    signal.throwIfAborted();
    throw new Refused(0, 'The service does not answer.');
  } finally {
    if (isStream) clearTimeout(timer);
  }
}

export function queryOf(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** One that nobody else has. Random values are there without https as well, unlike randomUUID. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
