import { notSo } from './checks.js';
import type { Answer, Facts, Seen, SessionInEvent } from './facts.js';

const session = (sessionId: string, epoch: number, environment: string): SessionInEvent => ({
  sessionId,
  scope: { userId: 'ada', projectId: 'captions' },
  status: 'active',
  epoch,
  revision: epoch,
  owner: { environment },
  principal: 'anonymous',
  rootId: sessionId,
  chainLength: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
});
const [a, b, final] = [
  session('a', 1, 'cloud-dev'),
  session('b', 2, 'cloud-debug'),
  session('b', 4, 'cloud-dev'),
];
const answer = (status: number, outcome: string, more: Partial<Answer>): Answer => ({
  ...{ kind: 'answer', who: 'a cloud', at: 0, did: 'look', status, outcome },
  ...more,
});
const seen = (type: string, about: SessionInEvent): Seen => ({
  ...{ kind: 'event', who: 'app', at: 0, type, position: '0:1' },
  event: { version: 1, session: about },
});
const refusedStop = answer(409, 'stale-session', { asked: { sessionId: 'a', epoch: 1 }, current: b });
const stopIgnored = {
  version: 4,
  sessionId: 'a',
  origin: { environment: 'cloud-dev' },
  epoch: 1,
  why: 'superseded',
};

/** The story as it has to be. */
const right: Facts = {
  started: answer(201, 'started', { session: a }),
  tookOver: answer(201, 'started', { session: b }),
  stops: [refusedStop, refusedStop, refusedStop],
  afterStops: answer(200, 'ok', { session: b }),
  released: answer(200, 'released', { session: { ...b, epoch: 3 } }),
  intruded: answer(409, 'reserved', {}),
  claimed: answer(200, 'claimed', { session: final }),
  last: answer(200, 'ok', { session: final }),
  history: answer(200, 'ok', {
    history: [
      { id: '0:4', type: 'session-ledger.StopIgnored.v1', subject: '', data: stopIgnored, ignoredstops: 3 },
    ],
  }),
  seen: [
    seen('SessionStarted', a),
    seen('SessionSuperseded', a),
    seen('SessionStarted', b),
    { ...seen('StopIgnored', a), event: stopIgnored },
    seen('OwnershipReleased', b),
    seen('OwnershipClaimed', b),
  ],
  view: { kind: 'view', who: 'app', at: 0, session: final },
};

test('nothing is wrong with the story as it has to be', () => {
  expect(notSo(right)).toEqual([]);
});

const ended = { ...b, epoch: 3, status: 'ended' as const };
test.each<[string, Partial<Facts>, RegExp]>([
  [
    'a late stop is obeyed',
    { stops: [answer(200, 'ended', { session: ended }), refusedStop, refusedStop] },
    /first, is refused/,
  ],
  [
    'a late stop changes the epoch',
    { afterStops: answer(200, 'ok', { session: { ...b, epoch: 3 } }) },
    /epoch unchanged/,
  ],
  ['the app sees B end', { seen: [...right.seen, seen('SessionEnded', ended)] }, /never sees B end/],
  ['the app sees an event twice', { seen: [...right.seen, ...right.seen.slice(-1)] }, /each once/],
  ['the app misses an event', { seen: right.seen.slice(1) }, /each once/],
  ['a stop is not counted', { history: answer(200, 'ok', { history: [] }) }, /one StopIgnored/],
  [
    'a third cloud gets the session',
    { intruded: answer(200, 'claimed', { session: final }) },
    /refused as reserved/,
  ],
  ['the app takes another session for current', { view: { ...right.view, session: a } }, /what REST answers/],
  [
    'the session ends up with the wrong owner',
    { last: answer(200, 'ok', { session: { ...final, owner: { environment: 'x' } } }) },
    /in the end/,
  ],
])('it tells when %s', (_, wrong, sentence) => {
  expect(notSo({ ...right, ...wrong }).join('\n')).toMatch(sentence);
});
