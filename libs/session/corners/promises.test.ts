import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { newHandlesIn } from '../commands/handles-in.js';
import {
  COMMAND_TYPES,
  type Command,
  currentOf,
  type Decision,
  EVENT_TYPES,
  epochOf,
  type Known,
  type LeaseTerms,
  type Owner,
  outcomeOf,
  ownerMatches,
  REFUSALS,
  type Session,
  type SessionEvent,
} from '../index.js';
import { OUTCOMES } from '../outcome.js';
import {
  act,
  at,
  foreign,
  handle,
  idle,
  knownFor,
  nothingYet,
  type Story,
  sessionsIn,
  type Told,
  tell,
  toScope,
  toSession,
} from '../specification.js';
import { settle } from '../time/settle.js';

/** One command of a random history: what was known, what was decided, what it led to. */
interface Turn extends Told {
  command: Command;
  /** After what time had brought about, before the command itself. */
  ripe: Story;
  /** What the command itself made. */
  made: readonly SessionEvent[];
}

/** Not within so few commands. */
const beyond: readonly string[] = ['too-many-currencies', 'too-many-checkpoints'];

/** Short ones, so that histories outlive them. */
const lease = fc.record({
  seconds: fc.constantFrom(30, 60, 100),
  graceSeconds: fc.constantFrom(0, 20, 60),
  renewOn: fc.constantFrom('heartbeat', 'use'),
  onLapse: fc.constantFrom('release', 'release', 'end'),
} as const) satisfies fc.Arbitrary<LeaseTerms>;

const owners: Owner[] = [
  { environment: 'cloud-dev' },
  { environment: 'cloud-dev', instance: 'a' },
  { environment: 'cloud-debug', instance: 'a' },
  { environment: 'cloud-debug', instance: 'b' },
];

/** Two of them are other scopes'. */
const names = ['1', '2', '3', '4', '5', '6', foreign.hash, idle.hash];
/** For one session. */
const tooMany = Array.from({ length: 9 }, (_, index) => `many-${index}`);

/** What a sender might try; `play` turns it into a command that fits, or does not fit, what has happened. */
const move = fc.record({
  kind: fc.constantFrom(
    ...COMMAND_TYPES,
    // And more often than others:
    ...(['StartSession', 'RotateSession', 'RotateSession', 'ReleaseOwnership', 'ClaimOwnership'] as const),
    ...(['EndSession', 'RenewLease', 'ReportInvalid', 'ChangeHandles'] as const),
    ...(['sent before', 'sent before'] as const),
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
  /** The reaper is away, so that nobody may say that a session's time is over. */
  away: fc.constantFrom(false, false, false, false, true),
  lease: fc.option(lease, { nil: undefined }),
  drainSeconds: fc.option(fc.constantFrom(20, 60), { nil: undefined, freq: 2 }),
  attributes: fc.constantFrom(undefined, 'digest-1', 'digest-2'),
  onConflict: fc.constantFrom('supersede', 'reject', 'join'),
  expects: fc.constantFrom('nothing', 'nothing', 'an epoch'),
  starting: fc.constantFrom(false, false, true),
  to: fc.option(fc.constantFrom(...owners), { nil: undefined }),
  named: fc.boolean(),
  successorHandle: fc.option(fc.constantFrom(handle('1'), handle('2')), { nil: undefined }),
  bind: fc.option(
    fc.oneof(
      fc.subarray(names.map(toScope), { maxLength: 2 }),
      fc.subarray(names.map(toSession), { maxLength: 2 }),
      fc.constant(tooMany.map(toSession)),
    ),
    { nil: undefined, freq: 2 },
  ),
  unbind: fc.subarray(names.map(handle)),
  rotates: fc.constantFrom('build', 'build', 'build', 'reset'),
  usage: fc.record({
    inputTokens: fc.constantFrom(0, 1, 1_000, 1_000, Number.MAX_SAFE_INTEGER),
    cost: fc.record({
      amount: fc.constantFrom('0.1', '0.000000001', '12'),
      currency: fc.constantFrom('EUR', 'USD'),
    }),
  }),
  withUsage: fc.boolean(),
  label: fc.constantFrom('v1', 'v2'),
  fromCheckpoint: fc.constantFrom(false, false, true),
  policy: fc.option(
    fc.constantFrom(
      { maxChainLength: 2 },
      { maxChainLength: 3, adviseAt: 2 },
      { endReleasedAfterSeconds: 30 },
      { endReleasedAfterSeconds: 90 },
    ),
    {
      nil: undefined,
      freq: 2,
    },
  ),
  certainty: fc.constantFrom('definite', 'definite', 'transient'),
  why: fc.constantFrom('context lost', 'overloaded'),
  fallback: fc.constantFrom('latest-valid', 'latest-valid', 'start-fresh'),
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
        const was = story.sessions.get(session.sessionId);
        const isUnseen = was === session || was?.status === 'ended';
        if (isUnseen && (session.revision !== was.revision || session.epoch !== was.epoch))
          return `${event.type} changes the revision or the epoch of what nobody sees`;
        if (isUnseen) continue;
        if (session.revision <= (story.state.latest?.revision ?? 0))
          return `${event.type} keeps the revision`;
        if (session.epoch < epochOf(story.state)) return `${event.type} carries an old epoch`;
      }
      story = next;
    }
  });

  promise(
    'a handle goes from one session to another only where that is named by it or recovers one; none has over 8',
    (turn) => {
      const after = turn.after.handles;
      const named = new Set(newHandlesIn(turn.command).map(({ hash }) => hash));
      for (const [hash, sessionId] of turn.before.handles) {
        const holder = after.get(hash);
        if (!sessionId || holder === sessionId || !after.has(hash)) continue;
        const moves = named.has(hash) && !turn.before.sessions.get(sessionId)?.invalid;
        if (!holder || (!moves && !turn.after.sessions.get(holder)?.recoveredFrom))
          return `${hash} went to another session`;
        if (turn.after.state.latest?.sessionId !== holder) return `${hash} went to a session of the past`;
      }
      for (const { handles = [] } of turn.after.sessions.values()) if (handles.length > 8) return 'too many';
    },
  );

  promise('what another scope has, it keeps while it has a current session', ({ decision, after }) => {
    const changed = ('handles' in decision && decision.handles) || [];
    if (after.handles.has(foreign.hash) || changed.some(({ hash }) => hash === foreign.hash))
      return 'it was taken away';
  });

  promise(
    'a rotation takes the names along that it names, and no others',
    ({ before, command, made, after }) => {
      const rotated = made.find((event) => event.type === 'SessionRotated');
      if (!rotated || command.type !== 'RotateSession') return;
      const { successorHandle, handles = [] } = command;
      const named = [...(successorHandle ? [successorHandle] : []), ...handles].map(({ hash }) => hash);
      for (const [hash, holder] of before.handles) {
        const isHere = after.handles.get(hash);
        if (named.includes(hash) ? isHere === holder : isHere !== holder)
          return `${hash} is in another place`;
      }
      if (named.some((hash) => after.handles.get(hash) !== rotated.session.sessionId))
        return 'one is left behind';
    },
  );

  promise('the handles of sessions are what their events say', ({ after }) => {
    const said = new Map<string, string>();
    const carried = new Map<string, readonly string[]>();
    for (const event of after.events) {
      for (const { sessionId, handles = [] } of sessionsIn(event)) {
        const before = carried.get(sessionId) ?? [];
        const now = handles.map(({ hash }) => hash);
        for (const hash of before) {
          if (!now.includes(hash) && said.get(hash) === sessionId) said.delete(hash);
        }
        for (const hash of now) if (!before.includes(hash)) said.set(hash, sessionId);
        carried.set(sessionId, now);
      }
      if (event.type === 'DetailsErased') said.clear(); // also those of past sessions
    }
    const told = [...said].map(([hash, sessionId]) => `${hash} ${sessionId}`);
    const kept = [...after.handles].flatMap(([hash, sessionId]) =>
      sessionId ? [`${hash} ${sessionId}`] : [],
    );
    if (told.sort().join() !== kept.sort().join()) return `${told} is not ${kept}`;
  });

  promise('what a start asked for it has got, or is told that it was ignored', ({ command, decision }) => {
    if (!('outcome' in decision)) return;
    const { ignored = [], outcome, session } = decision;
    if (command.type !== 'StartSession') return ignored.length > 0 ? 'no start ignores' : undefined;
    if (outcome === 'started') return ignored.length > 0 ? 'a start of its own ignores nothing' : undefined;
    const asked = {
      attributes: command.attributesDigest,
      fromCheckpoint: command.fromCheckpoint,
      lease: command.lease !== session.lease && command.lease,
      phase: command.phase,
      policy: command.policy,
    };
    const inVain = Object.entries(asked).flatMap(([name, value]) => (value ? [name] : []));
    // Joined by who started it: the very same lease may be the session's own.
    const told = ignored.filter((one) => one !== 'lease' || command.lease !== session.lease);
    if (told.join() !== inVain.join()) return `${told} was ignored, not ${inVain}`;
  });

  promise('the epoch rises when the current session or its owner changes, and only then', (turn) => {
    for (const [from, to] of [
      [turn.before, turn.ripe],
      [turn.ripe, turn.after],
    ] as const) {
      const [was, is] = [holding(currentOf(from.state)), holding(currentOf(to.state))];
      const rose = epochOf(to.state) > epochOf(from.state);
      if ((was !== is) !== rose) return `from ${was} to ${is} the epoch ${rose ? 'rises' : 'stays'}`;
    }
  });

  promise('a command under an old epoch or for an old session changes nothing', (turn) => {
    const { command, ripe } = turn;
    const current = currentOf(ripe.state);
    if (command.type === 'StartSession') {
      const { expectedEpoch = epochOf(ripe.state) } = command;
      return expectedEpoch !== epochOf(ripe.state) && changes(turn) ? 'expectedEpoch was ignored' : undefined;
    }
    if (command.type === 'EraseScope') return;
    const fits = command.sessionId === current?.sessionId && epochIn(command) === current.epoch;
    const isAboutHistory = adds(command) || (command.type === 'ReportInvalid' && !fits);
    if (isAboutHistory && !isDeepStrictEqual(settledPart(current), settledPart(currentOf(turn.after.state))))
      return `${command.type} of the past changed what is current`;
    if (!fits && !isAboutHistory && changes(turn)) return `${command.type} of the past was obeyed`;
    const mayRenew = fits || (command.type === 'TouchSession' && command.sessionId === current?.sessionId);
    if (!mayRenew && 'renews' in turn.decision) return `${command.type} of the past renewed a lease`;
  });

  promise(
    'a command under an epoch of the future is refused as such',
    ({ ripe, made, command, decision }) => {
      const epoch = epochIn(command) ?? 0;
      if (epoch <= epochOf(ripe.state)) return;
      if (made.length > 0 || !['future-epoch', 'operate-required'].includes(answerOf(decision))) {
        return `the future was answered ${answerOf(decision)}`;
      }
    },
  );

  promise('an ended session stays as it ended', ({ before, after }) => {
    for (const [id, session] of before.sessions) {
      if (session.status !== 'ended') continue;
      if (!isDeepStrictEqual(settledPart(after.sessions.get(id)), settledPart(session)))
        return `${id} came back`;
    }
  });

  promise('owner commands are for its principal, or with operate', (turn) => {
    const { command, ripe } = turn;
    if (command.type === 'StartSession' || command.operate || adds(command) || !changes(turn)) return;
    const isReport = command.type === 'ReportInvalid';
    const owned = isReport ? ripe.sessions.get(command.sessionId) : currentOf(ripe.state);
    if (!isReport && !owned?.owner) return;
    if (command.principal !== owned?.principal) return `${command.type} by a stranger`;
  });

  promise('the events fold to the session of the answer', ({ command, decision, made, after }) => {
    if (!('outcome' in decision) || made.length === 0) return;
    const { sessionId } = decision.session;
    const isLatest = sessionId === after.state.latest?.sessionId;
    const folded = isLatest ? after.state.latest : after.sessions.get(sessionId);
    if (folded !== decision.session) return `${decision.outcome} answers another session`;
    const isAboutHistory = adds(command) || decision.outcome === 'marked-invalid';
    if (!isLatest && !isAboutHistory) return `${decision.outcome} answers with history`;
  });

  promise('a receipt, which keeps the last event, answers what the command was answered', (turn) => {
    const { command, decision } = turn;
    // These take no key, or a start that joined has only bound a handle: no receipt is kept.
    if (!('outcome' in decision) || ['erased', 'settled', 'joined'].includes(decision.outcome)) return;
    const last = turn.made.at(-1);
    if (last && outcomeOf(last) !== decision.outcome) return `${command.type} would be answered otherwise`;
  });

  promise('whoever is told of a current session is told of the right one', ({ ripe, decision, after }) => {
    const told = 'refusal' in decision ? decision.refusal.current : decision.current;
    if (told && told !== currentOf(after.state)) return 'told of another one';
    const owed = 'refusal' in decision && decision.refusal.code !== 'operate-required';
    if (owed && told !== currentOf(ripe.state)) return 'not told of the current one';
  });

  promise('a stop that was ignored is recorded once for its session, origin, epoch and why', ({ after }) => {
    const recorded = after.events
      .filter((event) => event.type === 'StopIgnored')
      .map(({ sessionId, origin, epoch, why }) => JSON.stringify([sessionId, ownerName(origin), epoch, why]));
    if (new Set(recorded).size < recorded.length) return 'recorded twice';
  });

  promise(
    'an ignored stop always counts as one, and is the only refusal with an event',
    ({ decision, made }) => {
      if (!('refusal' in decision)) return;
      const recorded = made.map((event) => event.type === 'StopIgnored' && event.why);
      if (recorded.some((why) => why !== decision.ignored)) return 'recorded under another why';
    },
  );

  promise('what can be repeated without a key does as much as once', (turn, turns) => {
    const { command, decision, after } = turn;
    if (!isRepeatable(command) || 'refusal' in decision) return;
    for (const story of [after, turns.at(-1)!.after]) {
      // Ending, or released by a lapse: the session is over by time alone.
      const drains = decision.session.status === 'ending' || decision.session.expiresAt !== undefined;
      const isTransient = decision.outcome === 'reported';
      const mayBeTooLate = command.type === 'ReleaseOwnership' || drains || isTransient;
      if (mayBeTooLate && story !== after) continue;
      const when = drains || isTransient ? command.at : at(1_000_000);
      const repeat = {
        ...command,
        at: when,
        ...('successorId' in command && { successorId: 'session-again' }),
      };
      // At the same moment, of which nobody had said that the session's time is over.
      const undue = (drains || isTransient) && { due: false };
      const again = turnOf(story, repeat, { ...knownFor(story, repeat), ...undue });
      if (again.made.length > 0) return `again makes ${again.made[0]?.type}`;
      const same =
        'outcome' in again.decision && again.decision.session.sessionId === decision.session.sessionId;
      if (!same) return `again is ${answerOf(again.decision)}`;
    }
  });

  promise('time alone changes a session only when its time is over, and then before all else', (turn) => {
    const { known, before, ripe, after, command } = turn;
    const settled = ripe.events.slice(before.events.length);
    const early = turn.made.some(({ type }) => type === 'OwnershipLapsed' || type === 'SessionExpired');
    if (early || (settled.length > 0 && !known.due)) return 'a session lapsed before its time';
    if (known.due && settled.length === 0) return 'a session outlived its time';
    if (known.due && after.timer && after.timer.until <= command.at) return 'what is left is over, too';
  });

  promise(
    'who lost a session by time is never told that it still has it',
    ({ known, before, command, decision }) => {
      const lost = known.due && before.state.latest?.sessionId;
      if (!lost || !('epoch' in command) || command.sessionId !== lost) return;
      const told = answerOf(decision);
      const isOver = 'outcome' in decision && decision.session.status === 'ended';
      const usesNewEpoch = command.epoch > (before.state.latest?.epoch ?? 0);
      if ('outcome' in decision && !isOver && !usesNewEpoch) return `${command.type} was answered ${told}`;
    },
  );

  promise('a renewal makes no event, and never shortens a lease', ({ before, after, decision, made }) => {
    if (!('renews' in decision)) return;
    if (made.length > 0) return 'a renewal made an event';
    if (before.timer && after.timer && after.timer.until < before.timer.until) return 'a lease was shortened';
  });

  promise(
    'a chain never forks: everyone follows one session at most, and is followed by one at most',
    (turn) => {
      const sessions = [...turn.after.sessions.values()];
      const parents = sessions.flatMap(({ parentId }) => parentId ?? []);
      if (new Set(parents).size < parents.length) return 'two sessions follow the same one';
      for (const { sessionId, parentId, rootId, chainLength } of sessions) {
        const parent = parentId && turn.after.sessions.get(parentId);
        if (!parent && (parentId || rootId !== sessionId || chainLength !== 1))
          return `${sessionId} is no root`;
        if (!parent) continue;
        if (parent.successorId !== sessionId) return `${parentId} is followed by another one`;
        if (parent.rootId !== rootId || parent.chainLength !== chainLength - 1)
          return `${sessionId} has another place in its chain than after its parent`;
      }
    },
  );

  promise('no rotation makes a chain longer than its policy allows', ({ made }) => {
    for (const event of made) {
      if (event.type !== 'SessionRotated') continue;
      const { chainLength, policy, resetAdvised } = event.session;
      if (chainLength > Math.max(1, policy?.maxChainLength ?? chainLength)) return 'too long';
      const from = policy?.adviseAt ?? policy?.maxChainLength ?? Number.POSITIVE_INFINITY;
      if ((resetAdvised === true) !== chainLength >= from) return `${chainLength} of ${from}: advice`;
    }
  });

  promise(
    'a recovery continues the nearest session that is valid, if there is one',
    ({ ripe, made, command }) => {
      for (const event of made) {
        if (event.type !== 'SessionStarted' || !event.insteadOf || command.type !== 'ReportInvalid') continue;
        const dead = new Set<string>();
        let one = ripe.sessions.get(event.insteadOf);
        while (one && (one.sessionId === event.insteadOf || one.invalid || dead.has(one.sessionId))) {
          if (one.recoveredFrom) dead.add(one.recoveredFrom);
          one = ripe.sessions.get(one.recoveredFrom ?? one.parentId ?? '');
        }
        const valid = command.fallback === 'start-fresh' ? undefined : one;
        if (event.session.recoveredFrom !== valid?.sessionId)
          return `${event.session.recoveredFrom} is not it`;
      }
    },
  );

  promise('the sums of a session are those of its reports', ({ after }) => {
    for (const { sessionId, usage } of after.sessions.values()) {
      const reports = after.events
        .filter((event) => event.type === 'UsageRecorded')
        .filter((event) => sessionsIn(event)[0]?.sessionId === sessionId);
      const tokens = reports.reduce((sum, one) => sum + (one.usage.inputTokens ?? 0), 0);
      const cents = (currency: string) =>
        reports.reduce(
          (sum, { usage: { cost } }) => sum + (cost?.currency === currency ? billionths(cost.amount) : 0n),
          0n,
        );
      if ((usage?.operations ?? 0) !== reports.length) return `${sessionId}: operations`;
      if ((usage?.inputTokens ?? 0) !== tokens) return `${sessionId}: tokens`;
      for (const currency of ['EUR', 'USD'])
        if (billionths(usage?.cost[currency] ?? '0') !== cents(currency)) return `${sessionId}: cost`;
    }
  });

  promise('a session that was released expires when its policy says, and by nothing else', (turn) => {
    for (const event of turn.made) {
      if (event.type !== 'OwnershipReleased') continue;
      const { policy, reservedUntil = turn.command.at, expiresAt } = event.session;
      const seconds = policy?.endReleasedAfterSeconds;
      const until = seconds && new Date(Date.parse(reservedUntil) + seconds * 1_000).toISOString();
      if (expiresAt !== until) return `it expires at ${expiresAt} and not at ${until}`;
    }
    const was = currentOf(turn.before.state);
    const isOver = turn.ripe.events
      .slice(turn.before.events.length)
      .some(({ type }) => type === 'SessionExpired');
    if (isOver && was?.status === 'released' && (was.expiresAt ?? '9') > turn.command.at)
      return 'it expired early';
  });

  promise('what is reserved goes to nobody else before its time, also one that was put off', (turn) => {
    const { command, known, ripe, made } = turn;
    const was = currentOf(ripe.state);
    if (was?.status !== 'released' || !was.reservedFor || ('force' in command && command.force)) return;
    const until = (was === turn.before.state.latest && known.reservedUntil) || was.reservedUntil;
    for (const event of made) {
      if (event.type !== 'OwnershipClaimed' || command.at >= (until ?? '')) continue;
      if (!ownerMatches(was.reservedFor, event.session.owner!)) return 'it was taken';
    }
  });

  promise('what a status allows is there, and nothing else', ({ after }) => {
    for (const {
      status,
      owner,
      reservedFor,
      reservedSeconds,
      expiresAt,
      drainUntil,
    } of after.sessions.values()) {
      if (status !== 'ended' && (owner === undefined) !== (status === 'released')) return `${status}: owner`;
      if ((reservedFor || reservedSeconds || expiresAt) && status !== 'released')
        return `${status}: reserved`;
      if ((drainUntil !== undefined) !== (status === 'ending')) return `${status}: drain`;
    }
  });
});

test('the random histories come upon every outcome, every refusal, every event, and every command too late', () => {
  const turns = fc.sample(histories, { numRuns: 500, seed: 7 }).flatMap(play);
  const answers = turns.map(({ decision }) => answerOf(decision));
  expect(new Set(answers)).toEqual(
    new Set([...OUTCOMES, ...REFUSALS].filter((one) => !beyond.includes(one))),
  );
  const types = turns.flatMap(({ decision }) => decision.events.map(({ type }) => type));
  expect(new Set(types)).toEqual(new Set(EVENT_TYPES));
  const overdue = turns.filter(({ known }) => known.due).map(({ command }) => command.type);
  expect(new Set(overdue)).toEqual(new Set(turns.map(({ command }) => command.type)));
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
      { numRuns: 600 },
    );
  });
}

function play(moves: readonly Move[]): Turn[] {
  const turns: Turn[] = [];
  let story = nothingYet;
  let second = 0;
  for (const made of moves) {
    second += made.later;
    const sent =
      made.kind === 'sent before' ? turns[made.session % Math.max(turns.length, 1)]?.command : undefined;
    const command = { ...(sent ?? commandFor(made, story)), at: at(second) };
    const fresh = `session-${story.sessions.size + 1}`;
    if (command.type === 'StartSession') command.sessionId = fresh;
    if ('successorId' in command) command.successorId = fresh;
    const known = knownFor(story, command);
    if (made.away) {
      known.due = false;
      const { reservedUntil } = story.state.latest ?? {};
      if (reservedUntil && reservedUntil <= command.at) known.reservedUntil = at(second + 1);
    }
    const turn = turnOf(story, command, known);
    turns.push(turn);
    story = turn.after;
  }
  return turns;
}

function turnOf(before: Story, command: Command, known: Known): Turn {
  const told = act(before, command, known);
  const { events } = told.decision;
  const settled = known.due ? settle(before.state, command.at).length : 0;
  return { ...told, command, ripe: tell(before, ...events.slice(0, settled)), made: events.slice(settled) };
}

function commandFor(made: Move, story: Story): Command {
  const { sessionId, epoch, holder } = meantBy(made, story);
  const owner = (made.sincere && (holder?.reservedFor ?? holder?.owner)) || made.owner;
  const principal = (made.sincere && holder?.principal) || made.principal;
  const issued = { at: at(0), principal, operate: made.operate };
  const forced = made.force && { force: true };
  const leased = made.lease && { lease: made.lease };
  const byOwner = { sessionId, epoch, ...issued, ...(made.named && { owner }) };
  const kind = sessionId ? made.kind : 'StartSession';
  switch (kind) {
    case 'RotateSession': {
      const { successorHandle, rotates: reason, usage } = made;
      return {
        type: kind,
        ...byOwner,
        successorId: '',
        reason,
        ...(successorHandle && { successorHandle }),
        ...(made.withUsage && { usage }),
      };
    }
    case 'ReleaseOwnership':
      return { type: kind, ...byOwner, ...forced, ...(made.to && { to: made.to, reservedSeconds: 60 }) };
    case 'ClaimOwnership':
      return { type: kind, sessionId, epoch, ...issued, owner, ...forced, ...leased };
    case 'EndSession': {
      const drain = made.drainSeconds && { drainSeconds: made.drainSeconds };
      return { type: kind, sessionId, epoch, ...issued, origin: owner, reason: 'done', ...forced, ...drain };
    }
    case 'RenewLease':
      return { type: kind, sessionId, epoch, ...issued };
    case 'TouchSession':
    case 'SettleSession':
      return { type: kind, sessionId, ...issued };
    case 'EraseScope':
      return { type: kind, scope, ...issued };
    case 'ChangeAttributes':
      return { type: kind, ...byOwner, attributesDigest: made.attributes };
    case 'RecordUsage':
      return { type: kind, sessionId, ...issued, usage: made.usage };
    case 'MarkCheckpoint':
      return { type: kind, sessionId, ...issued, label: made.label };
    case 'ReportInvalid': {
      const { certainty, why: reason, fallback } = made;
      return { type: kind, ...byOwner, successorId: '', certainty, reason, fallback };
    }
    case 'ChangeHandles':
      return { type: kind, ...byOwner, bind: made.bind ?? [], unbind: made.unbind };
    case 'StartSession':
    case 'sent before': // there was nothing yet to send again
      return {
        type: 'StartSession',
        scope,
        sessionId: '',
        owner: made.owner,
        onConflict: made.onConflict,
        ...issued,
        ...leased,
        ...(made.bind && { handles: made.bind }),
        ...(made.starting && { phase: 'starting' }),
        ...(made.expects === 'an epoch' && { expectedEpoch: epoch }),
        ...(made.policy && { policy: made.policy }),
        ...(made.fromCheckpoint && { fromCheckpoint: made.label }),
      };
    default:
      return { type: kind, ...byOwner };
  }
}

const scope = { tenant: 'acme', userId: 'user-1', projectId: 'default' };

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
function changes({ made }: Turn): boolean {
  return made.some((event) => event.type !== 'StopIgnored');
}

/** Commands that need no epoch, because they add something and change nothing that a command could rest on. */
function adds(command: Command): boolean {
  return command.type === 'RecordUsage' || command.type === 'MarkCheckpoint';
}

/** A session without what may still be added when it has ended, or at any time by anybody. */
function settledPart(session: Session | undefined) {
  if (!session) return undefined;
  const { usage, invalid, revision, ...rest } = session;
  return session.status === 'ended' ? { ...rest, revision } : rest;
}

function isRepeatable(command: Command): boolean {
  if (command.type === 'RotateSession') return command.successorHandle !== undefined;
  return ['EndSession', 'ReleaseOwnership', 'MarkCheckpoint', 'ReportInvalid'].includes(command.type);
}

function billionths(amount: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(9, '0'));
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

/** The epoch that a command claims to know, if it claims one. */
function epochIn(command: Command): number | undefined {
  if (command.type === 'StartSession') return command.expectedEpoch;
  return 'epoch' in command ? command.epoch : undefined;
}
