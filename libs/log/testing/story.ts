import {
  type Command,
  evolve,
  type HandleHolder,
  type Known,
  lastValidBefore,
  noSessionYet,
  type Owner,
  type ScopeState,
  type Session,
  type SessionEvent,
  type SessionId,
} from '#session';

/** All that has happened in one scope, told from its events alone. */
export interface Story {
  state: ScopeState;
  sessions: Map<SessionId, Session>;
  events: SessionEvent[];
  /** Who has the handles that are bound to sessions, by what events call them. */
  handles: Map<string, { sessionId: SessionId; kind: string }>;
}

export function nothingYet(): Story {
  return { state: noSessionYet, sessions: new Map(), events: [], handles: new Map() };
}

/** Adds an event to the story, in place. */
export function tell(story: Story, event: SessionEvent): Story {
  story.state = evolve(story.state, event);
  story.events.push(event);
  for (const session of sessionsIn(event)) {
    keepHandles(story, session);
    story.sessions.set(session.sessionId, session);
  }
  if (event.type === 'DetailsErased') story.handles.clear(); // also those of past sessions
  return story;
}

/** The sessions that an event changed, as they are after it. */
export function sessionsIn(event: SessionEvent): Session[] {
  return [...('previous' in event ? [event.previous] : []), ...('session' in event ? [event.session] : [])];
}

/** What the decider has to know, taken from the whole story instead of from tables. */
export function knownFrom(story: Story, command: Command): Known {
  const known: Known = {
    ...story.state,
    ...checkpointFrom(story, command),
    ...validityFrom(story, command),
    handles: handlesOf(story),
  };
  if ('scope' in command) return known;
  const named = story.sessions.get(command.sessionId);
  if (named && named.sessionId !== story.state.latest?.sessionId) {
    known.past = named;
    const successor = named.successorId && story.sessions.get(named.successorId);
    if (successor) known.pastSuccessor = successor;
  }
  if (command.type === 'EndSession') {
    const { sessionId, origin, epoch } = command;
    known.ignored = story.events
      .filter((event) => event.type === 'StopIgnored')
      .filter((one) => one.sessionId === sessionId && one.epoch === epoch && isSame(one.origin, origin))
      .map(({ why }) => why);
  }
  return known;
}

/** The checkpoint that a command names, with its session as it is now. */
function checkpointFrom(story: Story, command: Command): Pick<Known, 'checkpoint' | 'checkpoints'> {
  const label = command.type === 'StartSession' ? command.fromCheckpoint : undefined;
  const named = command.type === 'MarkCheckpoint' ? command.label : label;
  if (named === undefined) return {};
  const marked = story.events.filter((event) => event.type === 'CheckpointMarked');
  const [session] = marked.filter((event) => event.label === named).flatMap(sessionsIn);
  const checkpoint = session && story.sessions.get(session.sessionId);
  return { checkpoints: marked.length, ...(checkpoint && { checkpoint }) };
}

/** For a report that a session is invalid: what recovery may go back to, and whether it was reported before. */
function validityFrom(story: Story, command: Command): Pick<Known, 'reported' | 'lastValid'> {
  if (command.type !== 'ReportInvalid') return {};
  const { sessionId, epoch, reason } = command;
  const reported = story.events
    .filter((event) => event.type === 'InvalidReported' && event.reason === reason)
    .flatMap(sessionsIn)
    .some((session) => session.sessionId === sessionId && session.epoch === epoch);
  const lastValid = lastValidBefore(story.state.latest, (id) => story.sessions.get(id));
  return { reported, ...(lastValid && { lastValid }) };
}

/** Only those that are bound to sessions: the others make no event. */
function handlesOf({ handles, sessions }: Story): Map<string, HandleHolder> {
  const holders = [...handles].map(([hash, { sessionId }]): [string, HandleHolder] => {
    const invalid = sessions.get(sessionId)?.invalid !== undefined;
    return [hash, { scope: 'this', sessionId, ...(invalid && { invalid }) }];
  });
  return new Map(holders);
}

/** A session has the handles that it has come to carry, until it carries them no more or another one does. */
function keepHandles({ sessions, handles }: Story, { sessionId, handles: now = [] }: Session): void {
  const before = sessions.get(sessionId)?.handles ?? [];
  for (const { hash } of before) {
    const isGone = !now.some((one) => one.hash === hash);
    if (isGone && handles.get(hash)?.sessionId === sessionId) handles.delete(hash);
  }
  for (const { hash, kind } of now) {
    if (!before.some((one) => one.hash === hash)) handles.set(hash, { sessionId, kind });
  }
}

function isSame(one: Owner, other: Owner): boolean {
  return one.environment === other.environment && one.instance === other.instance;
}
