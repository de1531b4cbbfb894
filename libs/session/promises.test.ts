import fc from 'fast-check';
import {
  type Command,
  currentOf,
  type Decision,
  decide,
  epochOf,
  type Owner,
  type Session,
} from './index.js';
import { at, draining, knownFor, nothingYet, type Story, sessionsIn, tell } from './specification.js';

/** One command of a random history: what was known, what was decided, what it led to. */
interface Turn {
  before: Story;
  command: Command;
  decision: Decision;
  after: Story;
}

const outcomes =
  'started joined claimed activated rotated already-rotated released ended already-ended unchanged';
const refusals =
  'stale-epoch stale-session future-epoch session-active session-not-active session-ending session-ended ' +
  'reserved not-owner operate-required';

const owners: Owner[] = [
  { environment: 'cloud-dev' },
  { environment: 'cloud-dev', instance: 'a' },
  { environment: 'cloud-debug', instance: 'a' },
  { environment: 'cloud-debug', instance: 'b' },
];

/** What a sender might try; `play` turns it into a command that fits, or does not fit, what has happened. */
const move = fc.record({
  kind: fc.constantFrom(
    ...(['StartSession', 'StartSession', 'ActivateSession', 'RotateSession', 'RotateSession'] as const),
    ...(['ReleaseOwnership', 'ReleaseOwnership', 'ClaimOwnership', 'ClaimOwnership'] as const),
    ...(['EndSession', 'EndSession', 'sent before', 'sent before', 'drain'] as const),
  ),
  /** Which session and epoch it means: what is current, what once was, any of either, or what may come. */
  means: fc.constantFrom('current', 'current', 'current', 'current', 'past', 'past', 'mixed', 'future'),
  session: fc.nat(99),
  epoch: fc.nat(99),
  /** Whether it comes from whoever owned what it means. */
  sincere: fc.constantFrom(true, true, false),
  owner: fc.constantFrom(...owners),
  principal: fc.constantFrom('one', 'two'),
  operate: fc.constantFrom(false, false, false, true),
  force: fc.constantFrom(false, false, false, true),
  later: fc.nat(40),
  onConflict: fc.constantFrom('supersede', 'reject', 'join'),
  expects: fc.constantFrom('nothing', 'nothing', 'an epoch'),
  starting: fc.constantFrom(false, false, true),
  to: fc.option(fc.constantFrom(...owners), { nil: undefined }),
  named: fc.boolean(),
  successorHandle: fc.option(fc.constantFrom('handle-1', 'handle-2'), { nil: undefined }),
} as const);
type Move = typeof move extends fc.Arbitrary<infer Value> ? Value : never;

const histories = fc.array(move, { minLength: 1, maxLength: 40, size: 'max' });

describe('whatever is sent, in whatever order, however late', () => {
  promise('the scope has at most one current session, at every event', (turn) => {
    let story = turn.before;
    for (const event of eventsOf(turn)) {
      story = tell(story, event);
      const alive = [...story.sessions.values()].filter((session) => session.status !== 'ended');
      if (alive.length > 1) return `${alive.length} sessions are current after ${event.type}`;
      if (alive[0] !== currentOf(story.state)) return `${event.type} folds to another current session`;
    }
  });

  promise('the epoch never falls, and the revision rises with every change', (turn) => {
    let story = turn.before;
    for (const event of eventsOf(turn)) {
      const next = tell(story, event);
      if (epochOf(next.state) < epochOf(story.state)) return `${event.type} lowers the epoch`;
      for (const session of sessionsIn(event)) {
        if (session.revision <= (story.state.latest?.revision ?? 0))
          return `${event.type} keeps the revision`;
        if (session.epoch < epochOf(story.state)) return `${event.type} carries an old epoch`;
      }
      story = next;
    }
  });

  promise('the epoch rises when the current session or its owner changes, and only then', (turn) => {
    const [was, is] = [holding(currentOf(turn.before.state)), holding(currentOf(turn.after.state))];
    const rose = epochOf(turn.after.state) > epochOf(turn.before.state);
    if ((was !== is) !== rose) return `from ${was} to ${is} the epoch ${rose ? 'rises' : 'stays'}`;
  });

  promise('a command under an old epoch or for an old session changes nothing', (turn) => {
    const { command, before } = turn;
    const current = currentOf(before.state);
    if (command.type === 'StartSession') {
      const { expectedEpoch = epochOf(before.state) } = command;
      return expectedEpoch !== epochOf(before.state) && changes(turn)
        ? 'expectedEpoch was ignored'
        : undefined;
    }
    const fits = command.sessionId === current?.sessionId && command.epoch === current.epoch;
    if (!fits && changes(turn)) return `${command.type} of the past was obeyed`;
  });

  promise('a command under an epoch of the future is refused as such', ({ before, command, decision }) => {
    const epoch = command.type === 'StartSession' ? (command.expectedEpoch ?? 0) : command.epoch;
    if (epoch <= epochOf(before.state)) return;
    if (decision.events.length > 0 || !['future-epoch', 'operate-required'].includes(answerOf(decision))) {
      return `the future was answered ${answerOf(decision)}`;
    }
  });

  promise('an ended session stays as it ended', ({ before, after }) => {
    for (const [id, session] of before.sessions) {
      if (session.status === 'ended' && after.sessions.get(id) !== session) return `${id} came back`;
    }
  });

  promise('owner commands are for its principal, or with operate', (turn) => {
    const { command, before } = turn;
    const owned = currentOf(before.state)?.owner && command.type !== 'StartSession' && changes(turn);
    if (!owned || command.operate) return;
    if (command.principal !== currentOf(before.state)?.principal) return `${command.type} by a stranger`;
  });

  promise('the events fold to the session of the answer', ({ decision, after }) => {
    if (!('outcome' in decision) || decision.events.length === 0) return;
    if (after.state.latest !== decision.session) return `${decision.outcome} answers another session`;
  });

  promise('whoever is told of a current session is told of the right one', ({ before, decision, after }) => {
    const told = 'refusal' in decision ? decision.refusal.current : decision.current;
    if (told && told !== currentOf(after.state)) return 'told of another one';
    const owed = 'refusal' in decision && decision.refusal.code !== 'operate-required';
    if (owed && told !== currentOf(before.state)) return 'not told of the current one';
  });

  promise('a stop that was ignored is recorded once for its session, origin, epoch and why', ({ after }) => {
    const recorded = after.events
      .filter((event) => event.type === 'StopIgnored')
      .map(({ sessionId, origin, epoch, why }) => JSON.stringify([sessionId, ownerName(origin), epoch, why]));
    if (new Set(recorded).size < recorded.length) return 'recorded twice';
  });

  promise('an ignored stop always counts as one, and is the only refusal with an event', ({ decision }) => {
    if (!('refusal' in decision)) return;
    const recorded = decision.events.map((event) => event.type === 'StopIgnored' && event.why);
    if (recorded.some((why) => why !== decision.ignored)) return 'recorded under another why';
  });

  promise('ending, releasing, or rotating to a named successor again does as much as once', (turn, turns) => {
    const { command, decision, after } = turn;
    const named = command.type === 'RotateSession' && command.successorHandle !== undefined;
    const repeatable = named || command.type === 'EndSession' || command.type === 'ReleaseOwnership';
    if (!repeatable || 'refusal' in decision) return;
    for (const story of [after, turns.at(-1)!.after]) {
      const again = { ...command, at: at(1_000_000), ...(named && { successorId: 'session-again' }) };
      const repeated = decide(again, knownFor(story, again));
      if (repeated.events.length > 0) return `again makes ${repeated.events[0]?.type}`;
      const mayBeTooLate = command.type === 'ReleaseOwnership' && story !== after;
      if (mayBeTooLate) continue;
      const same = 'outcome' in repeated && repeated.session.sessionId === decision.session.sessionId;
      if (!same) return `again is ${answerOf(repeated)}`;
    }
  });
});

test('the random histories come upon every outcome and every refusal', () => {
  const answers = fc
    .sample(histories, { numRuns: 500, seed: 7 })
    .flatMap((moves) => play(moves).map((turn) => answerOf(turn.decision)));
  expect(new Set(answers)).toEqual(new Set(`${outcomes} ${refusals}`.split(' ')));
});

function promise(name: string, broken: (turn: Turn, turns: Turn[]) => string | undefined): void {
  test(name, () => {
    fc.assert(
      fc.property(histories, (moves) => {
        const turns = play(moves);
        const last = turns.findIndex((turn) => broken(turn, turns));
        if (last < 0) return;
        const story = turns
          .slice(0, last + 1)
          .map(({ command, decision }) => `${JSON.stringify(command)} → ${answerOf(decision)}`);
        throw new Error(`${broken(turns[last]!, turns)}, after\n${story.join('\n')}`);
      }),
      { numRuns: 1_000 },
    );
  });
}

function play(moves: readonly Move[]): Turn[] {
  const turns: Turn[] = [];
  let story = nothingYet;
  let second = 0;
  for (const made of moves) {
    second += made.later;
    if (made.kind === 'drain') {
      if (made.force && currentOf(story.state)) story = tell(story, draining(story));
      continue;
    }
    const sent =
      made.kind === 'sent before' ? turns[made.session % Math.max(turns.length, 1)]?.command : undefined;
    const command = { ...(sent ?? commandFor(made, story)), at: at(second) };
    const fresh = `session-${story.sessions.size + 1}`;
    if (command.type === 'StartSession') command.sessionId = fresh;
    if (command.type === 'RotateSession') command.successorId = fresh;
    const decision = decide(command, knownFor(story, command));
    const after = tell(story, ...decision.events);
    turns.push({ before: story, command, decision, after });
    story = after;
  }
  return turns;
}

function commandFor(made: Move, story: Story): Command {
  const { sessionId, epoch, holder } = meantBy(made, story);
  const owner = (made.sincere && (holder?.reservedFor ?? holder?.owner)) || made.owner;
  const principal = (made.sincere && holder?.principal) || made.principal;
  const issued = { at: at(0), principal, operate: made.operate };
  const forced = made.force && { force: true };
  const byOwner = { sessionId, epoch, ...issued, ...(made.named && { owner }) };
  const kind = sessionId ? made.kind : 'StartSession';
  switch (kind) {
    case 'ActivateSession':
      return { type: kind, ...byOwner };
    case 'RotateSession': {
      const { successorHandle } = made;
      return {
        type: kind,
        ...byOwner,
        successorId: '',
        reason: 'build',
        ...(successorHandle && { successorHandle }),
      };
    }
    case 'ReleaseOwnership':
      return { type: kind, ...byOwner, ...(made.to && { to: made.to, reservedSeconds: 60 }) };
    case 'ClaimOwnership':
      return { type: kind, sessionId, epoch, ...issued, owner, ...forced };
    case 'EndSession':
      return { type: kind, sessionId, epoch, ...issued, origin: owner, reason: 'done', ...forced };
    default:
      return {
        type: 'StartSession',
        scope: { tenant: 'acme', userId: 'user-1', projectId: 'default' },
        sessionId: '',
        owner: made.owner,
        onConflict: made.onConflict,
        ...issued,
        ...(made.starting && { phase: 'starting' }),
        ...(made.expects === 'an epoch' && { expectedEpoch: epoch }),
      };
  }
}

/** Mostly a session that exists, sometimes an unknown one. Before the first one only a start can be meant. */
function meantBy(made: Move, story: Story): { sessionId: string; epoch: number; holder?: Session } {
  const { seen, state } = story;
  const past = seen[made.session % Math.max(seen.length, 1)];
  if (!past || !state.latest) return { sessionId: '', epoch: made.means === 'future' ? 1 : 0 };
  if (made.session % 10 === 0)
    return { sessionId: 'session-0', epoch: state.latest.epoch, holder: state.latest };
  switch (made.means) {
    case 'current':
      return { sessionId: state.latest.sessionId, epoch: state.latest.epoch, holder: state.latest };
    case 'past':
      return { sessionId: past.sessionId, epoch: past.epoch, holder: past };
    case 'mixed':
      return {
        sessionId: past.sessionId,
        epoch: seen[made.epoch % seen.length]!.epoch,
        holder: state.latest,
      };
    case 'future':
      return { sessionId: past.sessionId, epoch: state.latest.epoch + 1 + made.epoch, holder: past };
  }
}

function eventsOf({ before, after }: Turn) {
  return after.events.slice(before.events.length);
}

/** Whether anything but the record of a refusal was made. */
function changes({ decision }: Turn): boolean {
  return decision.events.some((event) => event.type !== 'StopIgnored');
}

function answerOf(decision: Decision): string {
  return 'refusal' in decision ? decision.refusal.code : decision.outcome;
}

/** Which session is current, and who owns it. */
function holding(session: Session | undefined): string {
  return session ? `${session.sessionId} of ${ownerName(session.owner)}` : 'nothing';
}

function ownerName(owner: Owner | undefined): string {
  return owner ? `${owner.environment}/${owner.instance ?? ''}` : 'nobody';
}
