import { type OperationId, type Operations, type Problem, routes } from '#client';

/** A credential is held by this page's memory alone: it is in no address and no storage, and a reload forgets it. */
let token: string | undefined;
const listeners = new Set<() => void>();

export function signIn(credential: string | undefined): void {
  token = credential;
}
export function onSignInNeeded(listener: () => void): void {
  listeners.add(listener);
}
export const authorization = (): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

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

type Member<Id extends OperationId, Name extends string> = Operations[Id] extends {
  [K in Name]?: infer Value;
}
  ? Value
  : undefined;
interface Sent<Id extends OperationId> {
  params?: Member<Id, 'params'>;
  query?: Member<Id, 'query'>;
  body?: Member<Id, 'body'>;
  signal?: AbortSignal;
}

const WAIT_MS = 20_000;

/** Asks the service that the page came from. An answer without body is undefined. */
export async function call<Id extends OperationId>(
  id: Id,
  { params, query, body, signal }: Sent<Id> = {},
): Promise<Operations[Id]['answer']> {
  const { method, path } = routes[id];
  const named = Object.entries(params ?? {}).reduce(
    (address, [name, value]) => address.replace(`:${name}`, encodeURIComponent(String(value))),
    path as string,
  );
  const asked = await send(`${named}${queryOf(query ?? {})}`, {
    method,
    headers: { ...authorization(), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.any([AbortSignal.timeout(WAIT_MS), ...(signal ? [signal] : [])]),
  });
  const text = await asked.text();
  return (text === '' ? undefined : JSON.parse(text)) as Operations[Id]['answer'];
}

/** Rejects with what the service says when it refuses. */
export async function send(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, { ...init, cache: 'no-store' }).catch((error: unknown) => {
    if (
      init.signal?.aborted &&
      !(init.signal.reason instanceof DOMException && init.signal.reason.name === 'TimeoutError')
    )
      throw error;
    throw new Refused(0, 'The service does not answer. The page asks again by itself.');
  });
  if (response.ok) return response;
  if (response.status === 401) for (const listener of listeners) listener();
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  throw new Refused(
    response.status,
    problem?.detail ?? problem?.title ?? `The service answered ${response.status}.`,
    problem,
  );
}

export function queryOf(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
