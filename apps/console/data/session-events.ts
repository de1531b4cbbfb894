import type { Session } from '#client';
import { call, Refused } from './call';
import { type RawEvent, type RawPage, readEvents } from './raw-events';
import { carried } from './seen-event';

/** What of a scope's history is about one session, as far as it has been read. */
export interface SessionEvents {
  events: RawEvent[];
  /** The version to go on after; undefined: this is all that there is. */
  next?: number | undefined;
  archived?: Archived;
}

/** What came before a version is in the archive. */
export interface Archived {
  firstVersion: number;
  /** Of the partition, the oldest first; absent for who may not know of the whole log. */
  files?: string[];
}

const PAGE = 200;
/** Pages that are read before somebody is asked: a scope may go on for long without this session. */
const PAGES = 5;

type Reader = (after: number, limit: number) => Promise<RawPage>;

/** Reads on from `after`, or from where the session began. */
export async function readSessionEvents(
  session: Session,
  before: SessionEvents | undefined,
  signal: AbortSignal,
): Promise<SessionEvents> {
  const { sessionId, scope, endedAt } = session;
  const read: Reader = (after, limit) => readEvents(scope, after, limit, signal);
  const begin = before
    ? { after: before.next ?? 0, archived: before.archived }
    : await findBegin(session, read, signal);
  const events = [...(before?.events ?? [])];
  let after: number | undefined = begin.after;
  for (let pages = 0; pages < PAGES && after !== undefined; pages++) {
    const page: RawPage = await read(after, PAGE);
    events.push(...page.events.filter(({ event }) => isAbout(event, sessionId)));
    after = page.next;
    const last = page.events.at(-1)?.event;
    // What comes later, such as a stop that is ignored, is read when somebody wants it.
    if (endedAt !== undefined && last && last.time > endedAt) break;
  }
  return { events, next: after, ...(begin.archived && { archived: begin.archived }) };
}

function isAbout(event: RawEvent['event'], sessionId: string): boolean {
  const { session, previous, sessionId: named } = carried(event);
  return [session?.sessionId, previous?.sessionId, named].includes(sessionId);
}

/**
 * The version before the first event of that time or later, or one before it: the times of a scope's events never go
 * back, and versions run ahead of revisions, so that there is an event with the number of any revision.
 */
async function findBegin(
  { sessionId, startedAt, revision }: Session,
  read: Reader,
  signal: AbortSignal,
): Promise<{ after: number; archived?: Archived }> {
  const first = await firstKept(read);
  const isBefore = async (version: number) => {
    const [found] = (await read(version - 1, 1)).events;
    return found !== undefined && found.event.time < startedAt;
  };
  let [low, high] = [first.version - 1, Math.max(first.version, revision + 1)];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (await isBefore(middle)) low = middle;
    else high = middle;
  }
  // Where the first that is kept is not before that time, those before it may be of that time as well.
  if (!first.isCut || low >= first.version) return { after: low };
  const files = await filesOf(partitionOf(sessionId), signal);
  return { after: low, archived: { firstVersion: first.version, ...(files && { files }) } };
}

/** The first version that the ledger itself has, and whether there were others. */
async function firstKept(read: Reader): Promise<{ version: number; isCut: boolean }> {
  try {
    await read(0, 1);
    return { version: 1, isCut: false };
  } catch (error) {
    const problem = error instanceof Refused ? error.problem : undefined;
    if (problem?.firstVersion === undefined) throw error;
    return { version: problem.firstVersion, isCut: true };
  }
}

/** A session's id carries its partition: the last 12 bits of its third group. */
const partitionOf = (sessionId: string) => Number.parseInt(sessionId.slice(15, 18), 16);

/** They hold what other scopes did as well, so that only the feed, which is of all of them, tells of them. */
async function filesOf(partition: number, signal: AbortSignal): Promise<string[] | undefined> {
  try {
    await call('feed', { query: { partition, after: 0, limit: 1 }, signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.problem?.files?.map(({ file }) => file);
  }
}
