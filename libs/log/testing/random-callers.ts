import fc from 'fast-check';
import type { Answer, Submission } from '#api';
import { type Owner, partitionOfSession, type Session } from '#session';
import { newSessionId } from '../index.js';
import { ask, type Told } from './answers.js';
import {
  again,
  forSession,
  keyed,
  markCheckpoint,
  type Place,
  recordUsage,
  reportInvalid,
  start,
  withAttributes,
} from './submissions.js';

const owners: Owner[] = [
  { environment: 'cloud-dev' },
  { environment: 'cloud-dev', instance: 'Zürich 🚲' },
  { environment: 'cloud-debug', instance: '"}\\' },
];

const kinds = [
  ...(['start', 'start', 'activate', 'rotate', 'rotate', 'release', 'release', 'claim', 'claim'] as const),
  ...(['end', 'end', 'late', 'again', 'stranger', 'handles'] as const),
  ...(['usage', 'invalid', 'invalid', 'checkpoint', 'from checkpoint', 'release'] as const),
];

const names = Array.from({ length: 12 }, (_, index) => `handle-${index}`);
const newHandles = (hash: string) => [
  { kind: 'agent', hash, binds: 'scope' as const },
  { kind: 'agent', hash, binds: 'session' as const },
];

const move = fc.record({
  kind: fc.constantFrom(...kinds),
  place: fc.nat(999),
  /** How far back the session lies that the sender believes in; 0 is the last that anybody heard of. */
  back: fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 5, 20),
  epochs: fc.constantFrom(0, 0, 0, 0, -1, 1),
  sincere: fc.constantFrom(true, true, true, false),
  owner: fc.constantFrom(...owners),
  principal: fc.constantFrom('one', 'two'),
  operate: fc.constantFrom(false, true),
  force: fc.constantFrom(false, false, true),
  onConflict: fc.constantFrom('supersede', 'supersede', 'reject', 'join'),
  starting: fc.boolean(),
  expects: fc.constantFrom(false, false, true),
  reserved: fc.option(fc.constantFrom(...owners), { nil: undefined }),
  /** The provider's name for a successor: one of two that are meant for it, or one that anybody might have. */
  handle: fc.option(fc.constantFrom('a', 'b', 'a', 'b', ...names.slice(0, 2)), { nil: undefined }),
  bind: fc.subarray(
    names.flatMap((hash) => newHandles(hash)),
    { maxLength: 2 },
  ),
  unbind: fc.subarray(
    names.map((hash) => ({ kind: 'agent', hash })),
    { maxLength: 3 },
  ),
  usage: fc.constantFrom(
    { inputTokens: 7 },
    { outputTokens: 3, cost: { amount: '0.01', currency: 'EUR' }, model: 'größer' },
    { inputTokens: Number.MAX_SAFE_INTEGER },
  ),
  label: fc.constantFrom('v1', '"}, NULL \\ 🚲'),
  certainty: fc.constantFrom('definite', 'definite', 'transient'),
  fallback: fc.constantFrom('latest-valid', 'latest-valid', 'start-fresh'),
  key: fc.constantFrom(true, false),
} as const);
type Move = typeof move extends fc.Arbitrary<infer Value> ? Value : never;

export interface RandomCallers {
  /** Any of these answers a command: replicas of one ledger. */
  writers: readonly { submit(submission: Submission): Promise<Answer> }[];
  places: readonly Place[];
  callers: number;
  /** Commands of each caller, one after the other. */
  turns: number;
  seed: number;
  /** Callers stop early when it returns true. */
  stop?: () => boolean;
}

/** Callers who all at once send sound, stale, foreign and repeated commands; returns what each was told. */
export async function sendAtRandom(options: RandomCallers): Promise<Told[]> {
  const { writers, places, callers, turns, seed, stop = () => false } = options;
  const told: Told[] = [];
  const heard = new Map<Place, Session[]>(places.map((place) => [place, []]));
  const one = async (caller: number) => {
    for (const made of fc.sample(move, { numRuns: turns, seed: seed + caller })) {
      if (stop()) return;
      const place = places[made.place % places.length] as Place;
      const submission = submissionFor(made, place, heard.get(place) ?? [], told);
      const outcome = await ask(writers[(caller + made.place) % writers.length]!, submission);
      told.push(outcome);
      const { answer } = outcome;
      if ('kind' in answer && answer.kind === 'accepted') heard.get(place)?.push(answer.session);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => one(caller)));
  return told;
}

function submissionFor(
  made: Move,
  place: Place,
  heard: readonly Session[],
  told: readonly Told[],
): Submission {
  const meant = heard.at(-1 - made.back) ?? heard.at(-1);
  const submission = made.kind === 'again' ? told.at(-1 - made.back)?.submission : undefined;
  if (submission) return again(submission);
  const fresh = meant ? forMeant(made, meant, place) : starting(made, place, 0);
  return made.key ? keyed(fresh, fresh.commandId) : fresh;
}

function forMeant(made: Move, meant: Session, place: Place): Submission {
  const { reserved, handle, operate } = made;
  const owner = (made.sincere && (meant.reservedFor ?? meant.owner)) || made.owner;
  const principal = made.sincere ? meant.principal : made.principal;
  const epoch = meant.epoch + (made.sincere ? 0 : made.epochs);
  const force = made.force && { force: true };
  const issued = { epoch, principal, operate };
  switch (made.kind) {
    case 'activate':
      return forSession(meant, { type: 'ActivateSession', ...issued });
    case 'rotate': {
      const successorId = newSessionId(partitionOfSession(meant.sessionId));
      const named = handle && {
        successorHandle: {
          kind: 'agent',
          hash: handle.length === 1 ? `${meant.sessionId}-${handle}` : handle,
        },
      };
      const used = made.force && { usage: made.usage };
      const reason = made.starting ? 'compact' : 'reset';
      return forSession(meant, { type: 'RotateSession', successorId, reason, ...named, ...used, ...issued });
    }
    case 'release': {
      const to = reserved && { to: reserved, reservedSeconds: 3_600 };
      return forSession(meant, { type: 'ReleaseOwnership', ...to, ...issued });
    }
    case 'claim':
      return forSession(meant, { type: 'ClaimOwnership', owner, ...force, ...issued });
    case 'handles': {
      const bind = made.bind.filter(isFirst);
      const unbind = made.unbind.filter(({ hash }) => !bind.some((one) => one.hash === hash));
      return forSession(meant, { type: 'ChangeHandles', bind, unbind, ...issued });
    }
    case 'usage':
      return recordUsage(meant, made.usage);
    case 'invalid':
      return reportInvalid(meant, { certainty: made.certainty, fallback: made.fallback, ...issued });
    case 'checkpoint':
      return markCheckpoint(meant, made.label);
    case 'from checkpoint':
      return start(place, {
        owner,
        fromCheckpoint: made.label,
        policy: { maxChainLength: 3 },
        principal,
        operate,
      });
    case 'stranger':
      return { ...forSession(meant, { type: 'ActivateSession', ...issued }), tenant: 'other' };
    case 'end':
    case 'late':
      return forSession(meant, { type: 'EndSession', origin: owner, reason: 'done', ...force, ...issued });
    default:
      return starting(made, place, meant.epoch);
  }
}

/** Whether no handle before it is the same; requests that name one twice are refused before. */
function isFirst({ hash }: { hash: string }, index: number, all: readonly { hash: string }[]): boolean {
  return all.findIndex((one) => one.hash === hash) === index;
}

function starting(made: Move, place: Place, epoch: number): Submission {
  const { owner, onConflict, principal, operate } = made;
  const phase = made.starting && { phase: 'starting' as const };
  const expected = made.expects && { expectedEpoch: epoch };
  const policy = made.force && { policy: { maxChainLength: 1 } };
  const handles = made.key && { handles: made.bind.filter(isFirst) };
  const submission = start(place, {
    owner,
    onConflict,
    principal,
    operate,
    ...phase,
    ...expected,
    ...policy,
    ...handles,
  });
  return made.force
    ? withAttributes(submission, JSON.stringify({ note: owner.instance ?? null }))
    : submission;
}
