import { randomUUID } from 'node:crypto';
import { tokenFromEnvironment } from '#client/node';
import { DemoError } from './error.js';
import type { Answer, EventDocument, SessionInEvent } from './facts.js';

const ANSWER_MS = 5_000;
const token = tokenFromEnvironment();

/** What the ledger answers, of whatever kind. */
export interface Body {
  outcome?: string;
  session?: SessionInEvent;
  sessionId?: string;
  /** Of a problem: `/problems/<code>`. */
  type?: string;
  current?: SessionInEvent;
  until?: string;
  events?: EventDocument[];
}

/** What a request says of who asks: nothing, where the environment has no key. */
export async function credential(): Promise<Record<string, string>> {
  const bearer = typeof token === 'function' ? await token() : token;
  return bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
}

/** One request; without a body it is a GET. Throws DemoError when nothing answers. */
export async function ask(address: string, body?: object): Promise<{ status: number; body: Body }> {
  const init = {
    headers: {
      ...(body && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
      ...(await credential()),
    },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  };
  try {
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    throw new DemoError(
      `no ledger answers at ${new URL(address).origin}: start it with npm start, or name its address with --url`,
    );
  }
}

/** The fields of an answer that are the ledger's own words. */
export function understand(
  status: number,
  body: Body,
): Pick<Answer, 'status' | 'outcome' | 'session' | 'current' | 'until'> {
  const code = body.type?.split('/').at(-1);
  const session = body.session ?? (body.sessionId === undefined ? undefined : (body as SessionInEvent));
  return {
    status,
    outcome: body.outcome ?? code ?? 'ok',
    ...(session && { session }),
    ...(body.current && { current: body.current }),
    ...(body.until !== undefined && { until: body.until }),
  };
}
