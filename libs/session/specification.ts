/// <reference types="jest" />
// Given / when / then for the decider. For tests only: index.ts does not show it.
import type {
  ActivateSession,
  ClaimOwnership,
  Command,
  EndSession,
  Issued,
  ReleaseOwnership,
  RotateSession,
  StartSession,
} from './commands.js';
import { decide, type Known } from './decide.js';
import type { Decision, Outcome, RefusalCode, Refused } from './decision.js';
import type { SessionEvent, SessionEventType, StopIgnoredWhy } from './events.js';
import { evolve } from './evolve.js';
import type { Instant, Owner, ScopeState, Session, SessionId } from './session.js';
import { currentOf, noSessionYet } from './session.js';

/** Everything that has happened in one scope. The decider gets only a small part of it, see `knownFor`. */
export interface Story {
  state: ScopeState;
  events: readonly SessionEvent[];
  /** Every state that any session has had, oldest first. */
  seen: readonly Session[];
  /** Every session as it is now. */
  sessions: ReadonlyMap<SessionId, Session>;
}

export const nothingYet: Story = { state: noSessionYet, events: [], seen: [], sessions: new Map() };

export function tell(story: Story, ...events: SessionEvent[]): Story {
  return events.reduce((told, event) => {
    const changed = sessionsIn(event);
    return {
      state: evolve(told.state, event),
      events: [...told.events, event],
      seen: [...told.seen, ...changed],
      sessions: new Map([...told.sessions, ...changed.map((one) => [one.sessionId, one] as const)]),
    };
  }, story);
}

/** The sessions that an event changed, as they are after it. */
export function sessionsIn(event: SessionEvent): Session[] {
  if (event.type === 'StopIgnored') return [];
  return event.type === 'SessionRotated' ? [event.previous, event.session] : [event.session];
}

/** What the writer would load for a command: the scope's state, and the past session that the command names. */
export function knownFor(story: Story, command: Command): Known {
  const known: Known = { ...story.state };
  if (command.type === 'StartSession') return known;
  const named = story.sessions.get(command.sessionId);
  if (named && named.sessionId !== story.state.latest?.sessionId) {
    known.past = named;
    const successor = named.successorId && story.sessions.get(named.successorId);
    if (successor) known.pastSuccessor = successor;
  }
  if (command.type === 'EndSession') {
    known.ignored = story.events
      .filter((event) => event.type === 'StopIgnored')
      .filter((ignored) => JSON.stringify(stopOf(ignored)) === JSON.stringify(stopOf(command)))
      .map((ignored) => ignored.why);
  }
  return known;
}

function stopOf(stop: { sessionId: SessionId; origin: Owner; epoch: number }) {
  return [stop.sessionId, stop.origin.environment, stop.origin.instance, stop.epoch];
}

// -- given, when, then ------------------------------------------------------------------------------------

/** A command or an event that fits the story so far. */
export type Step = (story: Story) => Command | SessionEvent;

export interface Told {
  before: Story;
  known: Known;
  decision: Decision;
  after: Story;
}

type Expectation = (told: Told) => void;

/** Starts from what the steps lead to; each of them has to make events. */
export function given(...steps: Step[]) {
  const before = steps.reduce(happen, nothingYet);
  return {
    when(step: (story: Story) => Command) {
      const command = step(before);
      const known = knownFor(before, command);
      const decision = decide(command, known);
      const told = { before, known, decision, after: tell(before, ...decision.events) };
      return {
        // biome-ignore lint/suspicious/noThenProperty: the word of the specification; nobody awaits it
        then: (...expectations: Expectation[]) => {
          for (const expectation of expectations) expectation(told);
        },
      };
    },
  };
}

function happen(story: Story, step: Step): Story {
  const next = step(story);
  if (!('at' in next)) return tell(story, next);
  const { events } = decide(next, knownFor(story, next));
  if (events.length === 0) throw new Error(`given ${next.type} changes nothing`);
  return tell(story, ...events);
}

/** Obeyed, with these events and no others; what they fold to is the session of the answer. */
export function accepted(outcome: Outcome, ...types: SessionEventType[]): Expectation {
  return ({ decision, after }) => {
    expect(decision).toMatchObject({ outcome });
    expect(decision.events.map((event) => event.type)).toEqual(types);
    if ('outcome' in decision && types.length > 0) expect(after.state.latest).toEqual(decision.session);
  };
}

/** The session that the answer is about. */
export function session(expected: Partial<Session>): Expectation {
  return ({ decision }) => expect(decision).toMatchObject({ session: expected });
}

/** The event at `index` of those that were decided. */
export function event(index: number, expected: object): Expectation {
  return ({ decision }) => expect(decision.events[index]).toMatchObject(expected);
}

/** The scope's current session afterwards; undefined for none. */
export function current(expected: Partial<Session> | undefined): Expectation {
  return ({ after }) => {
    if (expected) expect(currentOf(after.state)).toMatchObject(expected);
    else expect(currentOf(after.state)).toBeUndefined();
  };
}

/** The answer names the current session, because it is about another one. */
export function besides(expected: Partial<Session>): Expectation {
  return ({ decision }) => expect(decision).toMatchObject({ current: expected });
}

/** Not obeyed, nothing recorded; the answer carries the current session, if there is one. */
export function refused(code: RefusalCode, more: { until?: Instant } = {}): Expectation {
  return ({ before, decision }) => {
    const currently = code === 'operate-required' ? undefined : currentOf(before.state);
    expect(decision).toEqual({
      refusal: { code, ...more, ...(currently && { current: currently }) },
      events: [],
    });
  };
}

/** Not obeyed and recorded: one StopIgnored, and nothing that a reader sees has changed. */
export function stopIgnored(why: StopIgnoredWhy, code: RefusalCode = 'stale-session'): Expectation {
  return (told) => {
    expect(told.decision.events).toMatchObject([{ type: 'StopIgnored', why }]);
    stopIgnoredAgain(why, code)({ ...told, decision: { ...(told.decision as Refused), events: [] } });
    expect(told.after.state.latest).toEqual(told.before.state.latest);
  };
}

/** Not obeyed, and recorded before: only to be counted. */
export function stopIgnoredAgain(why: StopIgnoredWhy, code: RefusalCode = 'stale-session'): Expectation {
  return ({ before, decision }) => {
    const currently = currentOf(before.state);
    expect(decision).toEqual({
      refusal: { code, ...(currently && { current: currently }) },
      ignored: why,
      events: [],
    });
  };
}

// -- commands ---------------------------------------------------------------------------------------------

/** An environment, or one instance of it. */
type Who = string | Owner;

/** What a sender may say instead of what it believes. */
interface Said {
  /** 1 is the first session of the scope. */
  session?: number;
  epoch?: number;
  /** Unless said, each environment has a principal of the same name. */
  principal?: string;
  operate?: boolean;
  /** Seconds since the story began. */
  second?: number;
}

/** What a sender may say besides; `operate` and the like are left out when false. */
type More<C extends Command> = Said &
  Partial<Omit<C, keyof Said | 'type' | 'at' | 'sessionId' | 'owner' | 'origin'>>;

export function startSession(owner: Who, { second, ...more }: More<StartSession> = {}) {
  return (story: Story): StartSession => ({
    type: 'StartSession',
    scope: { tenant: 'acme', userId: 'user-1', projectId: 'default' },
    sessionId: nextId(story),
    owner: ownerOf(owner),
    onConflict: 'supersede',
    ...issued(owner, second),
    ...more,
  });
}

type By<C extends Command> = More<C> & { by: Who; owner?: Who };

export function activateSession({ by, ...more }: By<ActivateSession>) {
  return (story: Story): ActivateSession => ({ type: 'ActivateSession', ...said(story, by, more) });
}

export function rotateSession({ by, ...more }: By<RotateSession>) {
  return (story: Story): RotateSession => ({
    type: 'RotateSession',
    successorId: nextId(story),
    reason: 'build',
    ...said(story, by, more),
  });
}

export function releaseOwnership({ by, to, ...more }: Omit<By<ReleaseOwnership>, 'to'> & { to?: Who }) {
  return (story: Story): ReleaseOwnership => ({
    type: 'ReleaseOwnership',
    ...(to && { to: ownerOf(to) }),
    ...said(story, by, more),
  });
}

/** Unless said otherwise, of what is current, as it is now. */
export function claimOwnership(owner: Who, more: More<ClaimOwnership> = {}) {
  return (story: Story): ClaimOwnership => ({
    type: 'ClaimOwnership',
    owner: ownerOf(owner),
    ...said(story, owner, more, story.state.latest),
  });
}

export function endSession({ origin, ...more }: More<EndSession> & { origin: Who }) {
  return (story: Story): EndSession => ({
    type: 'EndSession',
    origin: ownerOf(origin),
    reason: 'done',
    ...said(story, origin, more),
  });
}

// -- what led to it: the same commands, and what commands cannot do yet ---------------------------------

export const startedOn = startSession;
export const supersededBy = startSession;
export const activatedBy = (by: Who) => activateSession({ by });
export const rotatedBy = (by: Who, more: More<RotateSession> = {}) => rotateSession({ by, ...more });
export const releasedBy = (by: Who, to?: Who, reservedSeconds?: number) =>
  releaseOwnership({ by, ...(to && { to }), ...(reservedSeconds && { reservedSeconds }) });
export const claimedBy = claimOwnership;
export const endedBy = (origin: Who) => endSession({ origin });

/** The current session drains. No command leads here until draining is built, so the event is borrowed. */
export function draining(story: Story): SessionEvent {
  const { latest } = story.state;
  if (!latest) throw new Error('there is nothing to drain');
  const session: Session = { ...latest, status: 'ending', revision: latest.revision + 1 };
  return { type: 'SessionActivated', session };
}

// -- what senders say and believe -------------------------------------------------------------------------

/** The session that the sender last had, under the epoch it had then; one that never had any means the last. */
function said<More extends Said & { owner?: Who }>(story: Story, who: Who, more: More, means?: Session) {
  const { session, second, owner, ...rest } = more;
  const id = session === undefined ? means?.sessionId : `session-${session}`;
  const alive = story.seen.filter((one) => one.status !== 'ended' && (!id || one.sessionId === id));
  const { environment } = ownerOf(who);
  const believed =
    alive.findLast((one) => [one.owner, one.reservedFor].some((has) => has?.environment === environment)) ??
    alive.at(-1);
  return {
    sessionId: id ?? believed?.sessionId ?? 'session-1',
    epoch: (session === undefined ? means : undefined)?.epoch ?? believed?.epoch ?? 0,
    ...issued(who, second),
    ...rest,
    ...(owner && { owner: ownerOf(owner) }),
  };
}

function issued(who: Who, second = 0): Issued {
  return { at: at(second), principal: ownerOf(who).environment, operate: false };
}

/** The instant so many seconds after the story began. */
export function at(second: number): Instant {
  return new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
}

function ownerOf(who: Who): Owner {
  return typeof who === 'string' ? { environment: who } : who;
}

function nextId(story: Story): SessionId {
  return `session-${story.sessions.size + 1}`;
}
