import { orAborted } from '#waiting';

/** What becomes of one request: `send` brings it to the ledger, which obeys it whoever still waits. */
export type Fault = (send: () => Promise<Response>, signal: AbortSignal) => Promise<Response>;

/** The ledger never hears of it. */
export const unsent: Fault = () => Promise.reject(new TypeError('nobody is there'));

/** The ledger answers, and the connection breaks before anything of that has come. */
export const lost: Fault = async (send) => {
  await (await send()).text();
  throw new TypeError('the connection broke');
};

/** The ledger answers, and the connection breaks in the middle of that. */
export const cut: Fault = async (send) => {
  const { status, headers, ...rest } = await send().then(async (response) => ({
    status: response.status,
    headers: response.headers,
    bytes: new Uint8Array(await response.arrayBuffer()),
  }));
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(rest.bytes.subarray(0, rest.bytes.length / 2)),
    pull: (stream) => stream.error(new TypeError('the connection broke')),
  });
  return new Response(body, { status, headers });
};

/** The ledger answers, and that comes when what begins to be waited for now has settled. */
export const late =
  (until: () => Promise<unknown>): Fault =>
  async (send, signal) => {
    const response = await send();
    await orAborted(until(), signal);
    return response;
  };

/** The ledger hears of it when that has settled, whoever still waits for the answer. */
export const slow =
  (until: () => Promise<unknown>): Fault =>
  (send, signal) =>
    orAborted(until().then(send), signal);

/** The ledger answers, and something on the way back answers instead. */
export const replaced =
  (by: () => Response): Fault =>
  async (send) => {
    await (await send()).text();
    return by();
  };

/** Something on the way there answers. */
export const stopped =
  (by: () => Response): Fault =>
  async () =>
    by();

/** A problem, by whoever wants to: `retryAfter` seconds, so that a call with a shorter deadline is over with it. */
export const problem = (code: string, status: number, retryAfter = 600) =>
  new Response(JSON.stringify({ type: `/problems/${code}`, title: code, status, retryable: true }), {
    status,
    headers: { 'content-type': 'application/problem+json', 'retry-after': `${retryAfter}` },
  });

/** What something says that is no ledger. */
export const page = (status: number, retryAfter = 600) =>
  new Response('<h1>No</h1>', {
    status,
    headers: { 'content-type': 'text/html', 'retry-after': `${retryAfter}` },
  });

/** A way to the ledger on which requests have the faults that were planned for them, in that order. */
export function faultyWay() {
  const plans: { path: string; fault: Fault }[] = [];
  const requests: { path: string; key: string | undefined; body: unknown; at: number }[] = [];
  return {
    /** What is still to come. */
    plans,
    /** Every request that was made so far, also those that never got there. */
    requests,
    requestsOf: (path: string) => requests.filter((one) => one.path.endsWith(path)),
    /** Plans for the next requests whose path ends so. */
    plan(path: string, ...faults: Fault[]): void {
      plans.push(...faults.map((fault) => ({ path, fault })));
    },
    /** In place of the global one, for a client. */
    fetch: async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
      const path = new URL(String(input)).pathname;
      const { 'idempotency-key': key } = init.headers as Record<string, string>;
      const body = init.body == null ? undefined : JSON.parse(String(init.body));
      requests.push({ path, key, body, at: performance.now() });
      const at = plans.findIndex((plan) => path.endsWith(plan.path));
      const [plan] = at < 0 ? [] : plans.splice(at, 1);
      if (!plan) return fetch(input, init);
      const { signal, ...whoever } = init;
      return plan.fault(() => fetch(input, whoever), signal as AbortSignal);
    },
  };
}
