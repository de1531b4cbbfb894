import type { Operations, Session } from '#client';
import { call, Refused } from './call';
import { addressOf } from './location';

/** What a text in the box may mean. A handle is said to be one: its value may be a secret, and is asked for in a body alone. */
export type Wanted =
  | { what: 'session'; id: string }
  | { what: 'user'; userId: string }
  | { what: 'scope'; userId: string; projectId: string }
  | { what: 'project'; projectId: string }
  | { what: 'version'; versionId: string }
  | { what: 'handle'; kind: string; value: string };

type Placed = Operations['versionSessions']['answer']['sessions'][number];

/** What there is of it; `place` leads to the one thing that was meant. */
export interface Found {
  what: Wanted['what'];
  title: string;
  place?: string;
  sessions: (Session | Placed)[];
  more?: boolean;
  says?: string;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const HANDLE = /^handle:\s*/i;
const HANDLE_KIND = /^([a-z0-9_.-]{1,64}):(.+)$/s;
const MOST_CHARACTERS = 256;
const SHOWN = 20;

const isHandle = (text: string): boolean => HANDLE.test(text.trimStart());

/** Words, and what stands in quotes as one: `"ada lovelace" captions`. In quotes \" is a quote and \\ a backslash. */
function wordsIn(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"(?=\s|$)|(\S+)/gs)].map(
    ([, quoted, plain]) => quoted?.replace(/\\(.)/gs, '$1') ?? plain ?? '',
  );
}

/** All that a text may mean. Throws what is wrong with a handle; nothing is meant by what is too long for any id. */
export function meaningsOf(text: string): Wanted[] {
  const trimmed = text.trim();
  if (isHandle(trimmed)) {
    const [, kind, value] = HANDLE_KIND.exec(trimmed.replace(HANDLE, '')) ?? [];
    if (kind === undefined || value === undefined)
      throw new Error('A handle is handle:<kind>:<value>, such as handle:mcp-transport:abc.');
    return [{ what: 'handle', kind, value }];
  }
  if (UUID.test(trimmed)) return [{ what: 'session', id: trimmed.toLowerCase() }, ...named(trimmed)];
  const [first = '', ...rest] = wordsIn(trimmed);
  const isQuoted = trimmed.startsWith('"') && rest.length === 0 && first !== trimmed;
  const scopes =
    rest.length > 0 && isId(first) && isId(rest.join(' '))
      ? [{ what: 'scope' as const, userId: first, projectId: rest.join(' ') }]
      : [];
  return [...(isQuoted ? named(first) : []), ...named(trimmed), ...scopes];
}

const isId = (text: string) => {
  const { length } = [...text];
  return length > 0 && length <= MOST_CHARACTERS && !/\p{Cc}/u.test(text);
};

const named = (text: string): Wanted[] =>
  isId(text)
    ? [
        { what: 'user', userId: text },
        { what: 'project', projectId: text },
        { what: 'version', versionId: text },
      ]
    : [];

/** What the service has of it; undefined: nothing. */
export async function lookUp(wanted: Wanted, signal: AbortSignal): Promise<Found | undefined> {
  switch (wanted.what) {
    case 'session':
      return orNothing(session(wanted.id, signal));
    case 'user':
      return user(wanted.userId, signal);
    case 'scope':
      return scope(wanted, signal);
    case 'project':
      return project(wanted.projectId, signal);
    case 'version':
      return version(wanted.versionId, signal);
    case 'handle':
      return handle(wanted, signal);
  }
}

async function session(id: string, signal: AbortSignal): Promise<Found> {
  const found = await call('session', { params: { sessionId: id }, signal });
  return { what: 'session', title: 'Session', place: addressOf('session', { id }), sessions: [found] };
}

/** All current ones of all projects, or the past of the project that is called `default`. */
async function user(userId: string, signal: AbortSignal): Promise<Found | undefined> {
  const answer = await call('currentSession', { query: { userId, all: true }, signal });
  const { sessions, next } = answer as unknown as { sessions: Session[]; next?: string };
  const [one] = sessions;
  const title = `Current sessions of the user ${userId}`;
  if (one)
    return {
      ...{ what: 'user', title, sessions: sessions.slice(0, SHOWN) },
      more: next !== undefined || sessions.length > SHOWN,
      ...(sessions.length === 1 && { place: addressOf('scope', one.scope) }),
    };
  const past = await scope({ userId, projectId: 'default' }, signal);
  return past && { ...past, title: `Past sessions of the user ${userId}; none is current` };
}

async function scope(
  { userId, projectId }: { userId: string; projectId: string },
  signal: AbortSignal,
): Promise<Found | undefined> {
  const { sessions } = await call('sessions', { query: { userId, projectId, limit: 1 }, signal });
  if (sessions.length === 0) return undefined;
  const title = `The user ${userId} in the project ${projectId}`;
  return { what: 'scope', title, place: addressOf('scope', { userId, projectId }), sessions };
}

async function project(projectId: string, signal: AbortSignal): Promise<Found | undefined> {
  const query = { projectId, limit: SHOWN };
  const { sessions, next } = await call('listCurrent', { query, signal });
  if (sessions.length === 0) return undefined;
  const title = `Current sessions of the project ${projectId}`;
  return {
    what: 'project',
    title,
    place: addressOf('sessions', { projectId }),
    sessions,
    more: next !== undefined,
  };
}

/** One look of the service may find none of the tenant, and say that there are more: a few of them are followed. */
async function version(versionId: string, signal: AbortSignal): Promise<Found | undefined> {
  const sessions: Placed[] = [];
  let next: string | undefined;
  for (let looks = 0; looks < 5 && sessions.length < SHOWN; looks++) {
    const page: Operations['versionSessions']['answer'] = await call('versionSessions', {
      query: { versionId, limit: 100, ...(next !== undefined && { next }) },
      signal,
    });
    sessions.push(...page.sessions);
    next = page.next;
    if (next === undefined) break;
  }
  if (sessions.length === 0) return undefined;
  return {
    what: 'version',
    title: `Sessions of the version ${versionId}`,
    sessions: sessions.slice(0, SHOWN),
    more: next !== undefined || sessions.length > SHOWN,
  };
}

/** Neither its value nor its hash is shown: who looks it up knows it. */
async function handle(
  { kind, value }: { kind: string; value: string },
  signal: AbortSignal,
): Promise<Found | undefined> {
  const title = `Session of a handle of kind ${kind}`;
  try {
    const { session: meant } = await call('resolve', { body: { candidates: [{ kind, value }] }, signal });
    const place = addressOf('session', { id: meant.sessionId });
    return { what: 'handle', title, sessions: [meant], place };
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 409) return orNothing(Promise.reject(error));
    const { current } = error.problem ?? {};
    const says = `The session of this handle is not current: ${error.message}`;
    return { what: 'handle', title, sessions: current ? [current] : [], says };
  }
}

async function orNothing(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}
