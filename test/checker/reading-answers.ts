import type { Position, Session } from '#session';
import type { Reply } from '../support/http.js';
import { type Answer, type Asked, hashOfPage, type Shown } from './operation.js';

interface Body {
  type?: string;
  outcome?: string;
  session?: SessionBody;
  current?: SessionBody;
  last?: SessionBody;
  position?: Position;
  until?: string;
  events?: unknown[];
}

type SessionBody = Session & { attributes?: unknown; refusals?: Answer['refusals'] };

/** What an answer says, as the history keeps it. Undefined for a snapshot that broke off: it says so itself. */
export function readAnswer(asked: Asked, reply: Reply): Answer | undefined {
  const { status, headers, text } = reply;
  const answer: Answer = { status };
  const position = positionIn(headers.get('ledger-position'));
  if (position) answer.position = position;
  if (headers.get('idempotency-replayed') === 'true') answer.replayed = true;
  if (status < 300 && asked.kind === 'snapshot') return withSnapshot(answer, text);
  const body = reply.body as Body | undefined;
  if (body === undefined || typeof body !== 'object')
    return { ...answer, strange: `no JSON: ${text.slice(0, 80)}` };
  if (status >= 300) return withProblem(answer, body);
  if (asked.kind === 'feed') return withPage(answer, asked, body);
  if (asked.kind === 'current' || asked.kind === 'session') return withSession(answer, body as SessionBody);
  if (body.outcome === undefined) return { ...answer, strange: 'no outcome' };
  answer.outcome = body.outcome;
  if (asked.kind === 'renew') return body.until ? { ...answer, until: body.until } : answer;
  if (!body.session || !body.position) return { ...answer, strange: 'neither session nor position' };
  answer.session = shown(body.session);
  if (body.current) answer.current = shown(body.current);
  if (body.position.sequence !== position?.sequence) answer.strange = 'header and body name two positions';
  return answer;
}

function withProblem(answer: Answer, body: Body): Answer {
  const code = /^\/problems\/(.+)$/.exec(body.type ?? '')?.[1];
  if (code === undefined) return { ...answer, strange: 'an error that is no problem' };
  answer.code = code;
  if (body.current) answer.current = shown(body.current);
  // Of a scope without a current session: the one that ended last.
  if (body.last) answer.session = shown(body.last);
  return answer;
}

function withSession(answer: Answer, { refusals, ...session }: SessionBody): Answer {
  answer.session = shown(session as SessionBody);
  if (refusals) answer.refusals = refusals.map(({ why, count, position }) => ({ why, count, position }));
  return answer;
}

function withPage(answer: Answer, { path }: Asked, { events }: Body): Answer {
  if (!events) return { ...answer, strange: 'a page without events' };
  const after = Number(new URL(path, 'http://ledger').searchParams.get('after'));
  // As they were written: reading and writing them again changes no byte.
  const hash = hashOfPage(events.map((event) => JSON.stringify(event)));
  return { ...answer, page: { after, count: events.length, hash } };
}

function withSnapshot(answer: Answer, text: string): Answer | undefined {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  if (!lines.at(-1)?.complete) return undefined;
  const snapshot: NonNullable<Answer['snapshot']> = [];
  for (const line of lines.slice(0, -1)) {
    if (line.position) snapshot.push({ position: line.position, sessions: [] });
    else snapshot.at(-1)?.sessions.push(shown(line.session));
  }
  return { ...answer, snapshot };
}

function shown({ attributes, ...session }: SessionBody): Shown {
  return { json: JSON.stringify(session), attributes: JSON.stringify(attributes ?? {}) };
}

function positionIn(header: string | null): Position | undefined {
  const [partition, sequence] = (header ?? '').split(':').map(Number);
  return header && partition !== undefined && sequence !== undefined ? { partition, sequence } : undefined;
}
