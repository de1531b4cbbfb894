import { ask, type Call, type Reply } from './http.js';
import { type Service, startService } from './service.js';
import { type CommandBody, cloudDev, newUser, type ProblemBody } from './sessions.js';

/** What would show a caller how the service is built. */
const INTERNALS =
  /\bat \S+:\d+|\.[jt]s\b|node_modules|FST_|Error\b|\bselect\b.*\bfrom\b|\bsql\b|undefined|\[object/i;
const MEMBERS = ['type', 'title', 'status', 'detail', 'retryable'];

/** Says what is wrong with an answer as a problem; empty when all is as it should be. */
export function faultsOf({ status, headers, text, body }: Reply<ProblemBody | undefined>): string[] {
  const faults: string[] = [];
  if (headers.get('content-type')?.split(';')[0] !== 'application/problem+json') {
    faults.push(`content type ${headers.get('content-type')}`);
  }
  if (INTERNALS.test(text)) faults.push(`shows internals: ${text}`);
  if (!body) return [...faults, `no JSON: ${text}`];
  if (body.status !== status) faults.push(`status ${body.status} in an answer with ${status}`);
  if (!body.type?.startsWith('/problems/')) faults.push(`type ${body.type}`);
  if (!body.title) faults.push('no title');
  const unknown = Object.keys(body).filter((name) => !MEMBERS.includes(name));
  if (unknown.length > 0) faults.push(`members ${unknown.join(', ')}`);
  return faults;
}

/** Asks for what has to be refused, and gives `status code`, the detail, and what is wrong with the answer. */
export async function refused(address: string, call: Call = {}) {
  const reply = await ask<ProblemBody | undefined>(address, call);
  const code = reply.body?.type?.replace('/problems/', '');
  return {
    answer: `${reply.status} ${code}`,
    detail: reply.body?.detail,
    faults: faultsOf(reply),
    headers: reply.headers,
  };
}

/** The last sequence of every partition. */
export async function headsOf(url: string): Promise<Record<number, number>> {
  const { text } = await ask(`${url}/v1/snapshot`);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  if (!lines.at(-1)?.complete) throw new Error('the snapshot is not complete');
  return Object.fromEntries(
    lines.flatMap(({ position }) => (position ? [[position.partition, position.sequence]] : [])),
  );
}

/** A service that is sent what is wrong: whatever it was, nothing was written, nothing failed, and it goes on. It has
 *  one session, unless it is to be empty. */
export function untouchedService({ isEmpty = false } = {}) {
  const kept = { sessionId: '' } as { service: Service; sessionId: string; heads: Record<number, number> };
  beforeAll(async () => {
    kept.service = await startService();
    const body = { userId: newUser(), owner: cloudDev };
    const begin = () => ask<CommandBody>(`${kept.service.url}/v1/sessions`, { body });
    if (!isEmpty) kept.sessionId = (await begin()).body.session.sessionId;
    kept.heads = await headsOf(kept.service.url);
  });
  afterEach(async () => {
    expect(await headsOf(kept.service.url)).toEqual(kept.heads);
    expect(kept.service.process.errors).toEqual([]);
  });
  return kept;
}
