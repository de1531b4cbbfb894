/// <reference types="jest" />
// Given / when / then for the decider. For tests only: index.ts does not show it.
import { lastValidBefore } from './chain.js';
import type { Command, CommandOf } from './commands/index.js';
import { decide } from './decide.js';
import type { Decision, Refused } from './decision.js';
import { evolve, type SessionEvent, type SessionEventType, type StopIgnoredWhy } from './events.js';
import type { Handle, HandleHolder, NewHandle } from './handles.js';
import type { ByOwner, Issued } from './issued.js';
import type { Known } from './known.js';
import type { Outcome } from './outcome.js';
import type { RefusalCode } from './refusals.js';
import {
  currentOf,
  type Instant,
  type LeaseTerms,
  noSessionYet,
  type Owner,
  type ScopeState,
  type Session,
  type SessionId,
} from './session.js';
import { startsTimer, type Timer, timerOf } from './time/timer.js';

/** Everything that has happened in one scope. The decider gets only a small part of it, see `knownFor`. */
export interface Story {
  state: ScopeState;
  events: readonly SessionEvent[];
  /** Every state that any session has had, oldest first. */
  seen: readonly Session[];
  /** Every session as it is now. */
  sessions: ReadonlyMap<SessionId, Session>;
  /** Which session has a handle of this scope, by hash; undefined: the scope itself. */
  handles: ReadonlyMap<string, SessionId | undefined>;
  /** Whether the scope has had a handle since its details were last erased. */
  named: boolean;
  /** When the current session's time is over, as its lease row would say. */
  timer?: Timer;
}

export type { RefusalCode } from './refusals.js';

export const nothingYet: Story = {
  state: noSessionYet,
  events: [],
  seen: [],
  sessions: new Map(),
  handles: new Map(),
  named: false,
};

export function tell(story: Story, ...events: SessionEvent[]): Story {
  return events.reduce((told, event) => {
    const changed = sessionsIn(event);
    return {
      ...(told.timer && { timer: told.timer }),
      state: evolve(told.state, event),
      events: [...told.events, event],
      seen: [...told.seen, ...changed],
      handles: told.handles,
      named: told.named,
      sessions: new Map([...told.sessions, ...changed.map((one) => [one.sessionId, one] as const)]),
    };
  }, story);
}

/** The sessions that an event changed, as they are after it. */
export function sessionsIn(event: SessionEvent): Session[] {
  return [...('previous' in event ? [event.previous] : []), ...('session' in event ? [event.session] : [])];
}

/** What a command is decided on, how, and what that leads to. */
export interface Told {
  before: Story;
  known: Known;
  decision: Decision;
  after: Story;
}

/** Decides a command on what the writer would load for it, or on `known`. */
export function act(before: Story, command: Command, known = knownFor(before, command)): Told {
  const decision = decide(command, known);
  const handles = handlesAfter(before, decision);
  const isErased = decision.events.some(({ type }) => type === 'DetailsErased');
  const named = !isErased && (before.named || handles.size > 0);
  const after = { ...tell(before, ...decision.events), handles, named };
  const { latest } = after.state;
  if (!latest || !setsTimer(decision)) return { before, known, decision, after };
  const { timer: _, ...rest } = after;
  const timer = timerOf(latest, command.at);
  return { before, known, decision, after: { ...rest, ...(timer && { timer }) } };
}

function handlesAfter({ handles }: Story, decision: Decision): Story['handles'] {
  if (decision.events.some(({ type }) => type === 'DetailsErased')) return new Map();
  const after = new Map(handles);
  for (const { hash, to } of ('handles' in decision && decision.handles) || []) {
    if (to === 'nothing') after.delete(hash);
    else after.set(hash, to === 'scope' ? undefined : to.sessionId);
  }
  return after;
}

function setsTimer(decision: Decision): boolean {
  return 'renews' in decision || decision.events.some(startsTimer);
}

/**
 * What the writer would load for a command: the scope's state, whether its time is over by then, and the past
 * session that the command names.
 */
export function knownFor(story: Story, command: Command): Known {
  const due = story.timer !== undefined && command.at >= story.timer.until;
  const known: Known = { ...story.state, due, handles: holdersIn(story) };
  if (command.type === 'EraseScope') known.detailed = hasDetails(story);
  Object.assign(known, checkpointFor(story, command), validityFor(story, command));
  if ('scope' in command) return known;
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

/** The handle of another scope, which nobody else may bind. */
export const foreign: Handle = { kind: 'agent', hash: 'foreign' };
/** That of another scope which has no current session. */
export const idle: Handle = { kind: 'agent', hash: 'idle' };

function holdersIn({ handles, sessions }: Story): Map<string, HandleHolder> {
  const holders = new Map<string, HandleHolder>([
    [foreign.hash, { scope: 'another' }],
    [idle.hash, { scope: 'another', idle: true }],
  ]);
  for (const [hash, sessionId] of handles) {
    const invalid = sessionId !== undefined && sessions.get(sessionId)?.invalid !== undefined;
    holders.set(hash, { scope: 'this', ...(sessionId && { sessionId }), ...(invalid && { invalid }) });
  }
  return holders;
}

/** Whether a session has got attributes, or the scope a handle, since details were last erased. */
function hasDetails({ events, named }: Story): boolean {
  if (named) return true;
  const digests = (some: readonly SessionEvent[]) =>
    new Set(some.flatMap(sessionsIn).flatMap(({ attributesDigest }) => attributesDigest ?? []));
  const erased = events.findLastIndex(({ type }) => type === 'DetailsErased');
  const before = digests(events.slice(0, erased + 1));
  return [...digests(events.slice(erased + 1))].some((digest) => !before.has(digest));
}

/** The checkpoint that a command names, with its session as it is now. */
function checkpointFor(story: Story, command: Command): Pick<Known, 'checkpoint' | 'checkpoints'> {
  const label = command.type === 'StartSession' ? command.fromCheckpoint : undefined;
  const named = command.type === 'MarkCheckpoint' ? command.label : label;
  if (named === undefined) return {};
  const marked = story.events.filter((event) => event.type === 'CheckpointMarked');
  const [session] = marked.filter((event) => event.label === named).flatMap(sessionsIn);
  const checkpoint = session && story.sessions.get(session.sessionId);
  return { checkpoints: marked.length, ...(checkpoint && { checkpoint }) };
}

/** For a report that a session is invalid: what recovery may go back to, and whether it was reported before. */
function validityFor(story: Story, command: Command): Pick<Known, 'reported' | 'lastValid'> {
  if (command.type !== 'ReportInvalid') return {};
  const { sessionId, epoch, reason } = command;
  const reported = story.events
    .filter((event) => event.type === 'InvalidReported' && event.reason === reason)
    .flatMap(sessionsIn)
    .some((session) => session.sessionId === sessionId && session.epoch === epoch);
  const lastValid = lastValidBefore(story.state.latest, (id) => story.sessions.get(id));
  return { reported, ...(lastValid && { lastValid }) };
}

function stopOf(stop: { sessionId: SessionId; origin: Owner; epoch: number }) {
  return [stop.sessionId, stop.origin.environment, stop.origin.instance, stop.epoch];
}

// -- given, when, then ------------------------------------------------------------------------------------

/** A command that fits the story so far. */
export type Step = (story: Story) => Command;

type Expectation = (told: Told) => void;

/** Starts from what the steps lead to; each of them has to make events, or to renew a lease. */
export function given(...steps: Step[]) {
  const before = steps.reduce(happen, nothingYet);
  return {
    when(step: (story: Story) => Command) {
      const command = step(before);
      return decided(act(before, command), (known) => act(before, command, known));
    },
  };
}

function decided(told: Told, again: (known: Known) => Told) {
  return {
    /** Decided on this instead, where it differs from what the story says. */
    on: (known: Partial<Known>) => decided(again({ ...told.known, ...known }), again),
    // biome-ignore lint/suspicious/noThenProperty: the word of the specification; nobody awaits it
    then: (...expectations: Expectation[]) => {
      for (const expectation of expectations) expectation(told);
    },
  };
}

function happen(story: Story, step: Step): Story {
  const command = step(story);
  const { decision, after } = act(story, command);
  if (decision.events.length === 0 && !('renews' in decision))
    throw new Error(`given ${command.type} changes nothing`);
  return after;
}

/** Obeyed, with these events and no others; what they fold to is the session of the answer. */
export function accepted(outcome: Outcome, ...types: SessionEventType[]): Expectation {
  return ({ decision, after }) => {
    expect(decision).toMatchObject({ outcome });
    expect(decision.events.map((event) => event.type)).toEqual(types);
    if (!('outcome' in decision) || types.length === 0) return;
    const { sessionId } = decision.session;
    const isLatest = sessionId === after.state.latest?.sessionId;
    expect(isLatest ? after.state.latest : after.sessions.get(sessionId)).toEqual(decision.session);
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

/** What became of handles, by hash: a session's number, the scope, or nothing. */
export function handles(expected: Record<string, number | 'scope' | 'nothing'>): Expectation {
  return ({ decision }) => {
    const changes = ('handles' in decision && decision.handles) || [];
    const told = changes.map(({ hash, to }) => [
      hash,
      typeof to === 'string' ? to : Number(to.sessionId.replace('session-', '')),
    ]);
    expect(Object.fromEntries(told)).toEqual(expected);
  };
}

/** Not obeyed, nothing recorded; the answer carries the current session, if there is one. */
export function refused(
  code: RefusalCode,
  more: { until?: Instant; handle?: string; retryAfter?: number } = {},
): Expectation {
  return ({ before, decision }) => {
    const currently = code === 'operate-required' ? undefined : currentOf(before.state);
    const isTimed = code === 'reserved' || code === 'session-ending';
    expect(decision).toEqual({
      refusal: {
        code,
        ...(isTimed && { retryAfter: expect.any(Number) }),
        ...more,
        ...(currently && { current: currently }),
      },
      events: [],
    });
  };
}

/** What time had brought about is recorded first; then the command was not obeyed on what that left. */
export function refusedAfter(
  settled: SessionEventType[],
  code: RefusalCode,
  more: { until?: Instant; retryAfter?: number } = {},
): Expectation {
  return ({ decision, after }) => {
    const currently = currentOf(after.state);
    expect(decision).toMatchObject({ refusal: { code, ...more, ...(currently && { current: currently }) } });
    expect(decision).not.toHaveProperty('ignored');
    expect(decision.events.map((event) => event.type)).toEqual(settled);
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

/** What time had brought about is recorded first, then the stop that was not obeyed on what that left. */
export function stopIgnoredAfter(
  settled: SessionEventType[],
  why: StopIgnoredWhy,
  code: RefusalCode,
): Expectation {
  return ({ decision, after }) => {
    const currently = currentOf(after.state);
    expect(decision).toMatchObject({
      refusal: { code, ...(currently && { current: currently }) },
      ignored: why,
    });
    expect(decision.events.map((event) => event.type)).toEqual([...settled, 'StopIgnored']);
    expect(decision.events.at(-1)).toMatchObject({ why });
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
type More<Type extends Command['type']> = Said &
  Partial<Omit<CommandOf<Type>, keyof Said | 'type' | 'at' | 'sessionId' | 'owner' | 'origin'>>;

export function startSession(owner: Who, { second, ...more }: More<'StartSession'> = {}) {
  return (story: Story): CommandOf<'StartSession'> => ({
    type: 'StartSession',
    scope: { tenant: 'acme', userId: 'user-1', projectId: 'default' },
    sessionId: nextId(story),
    owner: ownerOf(owner),
    onConflict: 'supersede',
    ...issued(owner, second),
    ...more,
  });
}

type By<Type extends Command['type']> = More<Type> & { by: Who; owner?: Who };

/** Commands that say nothing but for which session they are, and whose. */
type Plain = {
  [Type in Command['type']]: keyof CommandOf<Type> extends keyof ByOwner | 'type' ? Type : never;
}[Command['type']];

/** How such a command is written in a test: `const renewLease = byOwner('RenewLease')`. */
export function byOwner<Type extends Plain>(type: Type) {
  return ({ by, ...more }: Said & { by: Who; owner?: Who }) =>
    (story: Story) =>
      ({ type, ...said(story, by, more) }) as unknown as CommandOf<Type>;
}

export const activateSession = byOwner('ActivateSession');
export const renewLease = byOwner('RenewLease');

export function rotateSession({ by, ...more }: By<'RotateSession'>) {
  return (story: Story): CommandOf<'RotateSession'> => ({
    type: 'RotateSession',
    successorId: nextId(story),
    reason: 'build',
    ...said(story, by, more),
  });
}

export function releaseOwnership({ by, to, ...more }: Omit<By<'ReleaseOwnership'>, 'to'> & { to?: Who }) {
  return (story: Story): CommandOf<'ReleaseOwnership'> => ({
    type: 'ReleaseOwnership',
    ...(to && { to: ownerOf(to) }),
    ...said(story, by, more),
  });
}

/** Unless said otherwise, of what is current, as it is now. */
export function claimOwnership(owner: Who, more: More<'ClaimOwnership'> = {}) {
  return (story: Story): CommandOf<'ClaimOwnership'> => ({
    type: 'ClaimOwnership',
    owner: ownerOf(owner),
    ...said(story, owner, more, story.state.latest),
  });
}

export function endSession({ origin, ...more }: More<'EndSession'> & { origin: Who }) {
  return (story: Story): CommandOf<'EndSession'> => ({
    type: 'EndSession',
    origin: ownerOf(origin),
    reason: 'done',
    ...said(story, origin, more),
  });
}

/** A patch of the attributes, after which they have this digest; undefined when none are left. */
export function changeAttributes({ by, ...more }: By<'ChangeAttributes'>) {
  return (story: Story): CommandOf<'ChangeAttributes'> => ({
    type: 'ChangeAttributes',
    attributesDigest: undefined,
    ...said(story, by, more),
  });
}

/** Binds and unbinds handles of the session and its scope. */
export function changeHandles({ by, ...more }: By<'ChangeHandles'>) {
  return (story: Story): CommandOf<'ChangeHandles'> => ({
    type: 'ChangeHandles',
    bind: [],
    unbind: [],
    ...said(story, by, more),
  });
}

/** An outside name. */
export function handle(hash: string): Handle {
  return { kind: 'agent', hash };
}

export function toScope(hash: string): NewHandle {
  return { ...handle(hash), binds: 'scope' };
}

export function toSession(hash: string): NewHandle {
  return { ...handle(hash), binds: 'session' };
}

export function touchSession({ by, ...more }: By<'TouchSession'>) {
  return (story: Story): CommandOf<'TouchSession'> => {
    const { epoch: _, ...rest } = said(story, by, more);
    return { type: 'TouchSession', ...rest };
  };
}

/** An operator has the scope's details forgotten. */
export function eraseScope({ second, ...more }: More<'EraseScope'> = {}) {
  return (): CommandOf<'EraseScope'> => ({
    type: 'EraseScope',
    scope: { tenant: 'acme', userId: 'user-1', projectId: 'default' },
    ...issued('operator', second),
    operate: true,
    ...more,
  });
}

/** The reaper looks at the latest session so many seconds after the story began. */
export function settleSession(second: number) {
  return (story: Story): CommandOf<'SettleSession'> => {
    const { epoch: _, ...rest } = said(story, 'reaper', { second, operate: true }, story.state.latest);
    return { type: 'SettleSession', ...rest };
  };
}

export function recordUsage({ by, ...more }: By<'RecordUsage'>) {
  return (story: Story): CommandOf<'RecordUsage'> => {
    const { epoch: _, ...rest } = said(story, by, more);
    return { type: 'RecordUsage', usage: { inputTokens: 1 }, ...rest };
  };
}

export function markCheckpoint({ by, ...more }: By<'MarkCheckpoint'>) {
  return (story: Story): CommandOf<'MarkCheckpoint'> => {
    const { epoch: _, ...rest } = said(story, by, more);
    return { type: 'MarkCheckpoint', label: 'v1', ...rest };
  };
}

/** Definite, and to go on from the latest valid session, unless said. */
export function reportInvalid({ by, ...more }: By<'ReportInvalid'>) {
  return (story: Story): CommandOf<'ReportInvalid'> => ({
    type: 'ReportInvalid',
    certainty: 'definite',
    reason: 'context lost',
    fallback: 'latest-valid',
    successorId: nextId(story),
    ...said(story, by, more),
  });
}

/** A lease of ten seconds with a grace of five, unless said. */
export function lease(more: Partial<LeaseTerms> = {}): { lease: LeaseTerms } {
  return { lease: { seconds: 10, graceSeconds: 5, renewOn: 'heartbeat', onLapse: 'release', ...more } };
}

// -- what led to it: the same commands --------------------------------------------------------------------

export const startedOn = startSession;
export const supersededBy = startSession;
export const activatedBy = (by: Who) => activateSession({ by });
export const rotatedBy = (by: Who, more: More<'RotateSession'> = {}) => rotateSession({ by, ...more });
export const releasedBy = (by: Who, to?: Who, reservedSeconds?: number) =>
  releaseOwnership({ by, ...(to && { to }), ...(reservedSeconds && { reservedSeconds }) });
export const claimedBy = claimOwnership;
export const endedBy = (origin: Who) => endSession({ origin });
export const usedBy = recordUsage;
export const invalidBy = reportInvalid;
export const checkpointBy = (by: Who, label: string, more: More<'MarkCheckpoint'> = {}) =>
  markCheckpoint({ by, label, ...more });

export const renewedBy = (by: Who, second: number) => renewLease({ by, second });
export const settledAt = settleSession;
export const erasedAt = (second: number) => eraseScope({ second });
export const drainedBy = (origin: Who, drainSeconds: number) => endSession({ origin, drainSeconds });

/** The session of cloud-dev drains. */
export const draining = drainedBy('cloud-dev', 30);

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
