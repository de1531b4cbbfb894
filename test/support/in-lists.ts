import { type OperationId, routes } from '#client';
import type { Ledger } from './both-ledgers.js';

/** Operations that a list takes: POST and PATCH of sessions; renewals have a list of their own. */
const listed = (Object.entries(routes) as [OperationId, { method: string; path: string }][]).flatMap(
  ([id, { method, path }]) =>
    id !== 'renewLease' &&
    /^(POST|PATCH)$/.test(method) &&
    /^\/v1\/sessions(\/:sessionId(\/\w+)?)?$/.test(path)
      ? [{ id, method, address: new RegExp(`^${path.replace(':sessionId', '([^/?]*)')}$`) }]
      : [],
);

/** A ledger that is sent each command as a list of one, and answers as if it had come by itself. */
export function inLists(ledger: Ledger): Ledger & { lists: number } {
  const counted = { ...ledger, lists: 0, fetch: fetch as typeof globalThis.fetch };
  counted.fetch = async (input, init = {}) => {
    const list = listOf(new URL(String(input)), init);
    if (!list) return ledger.fetch(input, init);
    counted.lists += 1;
    const answer = await ledger.fetch(`${ledger.url}/v1/commands`, { ...init, ...list });
    return answer.status === 200 ? alone(await answer.text()) : answer;
  };
  return counted;
}

function listOf({ pathname }: URL, { method, headers, body }: RequestInit) {
  const one = listed.find(({ method: its, address }) => its === method && address.test(pathname));
  const given = { ...(headers as Record<string, string>) };
  if (!one || given['content-type'] !== 'application/json' || !isObject(body)) return undefined;
  const [, sessionId] = one.address.exec(pathname) ?? [];
  const { 'idempotency-key': key, ...others } = given;
  const command = {
    operation: one.id,
    ...(sessionId !== undefined && { sessionId: decodeURIComponent(sessionId) }),
    body: JSON.parse(body),
    ...(key !== undefined && { idempotencyKey: key }),
  };
  return { method: 'POST', headers: others, body: JSON.stringify({ commands: [command] }) };
}

function isObject(body: RequestInit['body']): body is string {
  try {
    const parsed = typeof body === 'string' && JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

/** What the list's only answer says, with the headers that are members there. */
function alone(text: string): Response {
  const asAlone = text
    .replaceAll('commands.0.idempotencyKey', 'header.idempotency-key')
    .replaceAll('commands.0.', '');
  const [{ replayed, ...answer }] = JSON.parse(asAlone).answers;
  const { status, retryAfter } = answer;
  const isProblem = status >= 400;
  delete answer[isProblem ? 'retryAfter' : 'status'];
  return new Response(JSON.stringify(answer), {
    status,
    headers: {
      'content-type': isProblem ? 'application/problem+json' : 'application/json; charset=utf-8',
      ...(replayed && { 'idempotency-replayed': 'true' }),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    },
  });
}
