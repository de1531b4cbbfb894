import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Facts, sessionIdOf } from './facts.js';

/** What of the story was not as it has to be, a sentence each; empty when all was right. */
export function notSo(facts: Facts): string[] {
  return checks(facts).flatMap(([so, sentence]) => (so ? [] : [sentence]));
}

type Check = readonly [so: boolean, sentence: string];

function checks({ started, tookOver, stops, afterStops, ...rest }: Facts): Check[] {
  const { released, intruded, claimed, last, history, seen, view } = rest;
  const [a, b] = [started.session?.sessionId, tookOver.session?.sessionId];
  const epoch = (answer: Answer) => answer.session?.epoch ?? Number.NaN;
  const isB = (answer: Answer, epochOf: number) =>
    answer.session?.sessionId === b && answer.session?.epoch === epochOf;
  const ignored = history.history?.filter(({ type }) => type.includes('.StopIgnored.')) ?? [];
  const endsOfB = seen.filter(
    (event) =>
      sessionIdOf(event) === b && (event.type === 'SessionEnded' || event.type === 'SessionSuperseded'),
  );
  const told = seen.map((event) => [event.type, sessionIdOf(event)]);
  const expected = [
    ['SessionStarted', a],
    ['SessionSuperseded', a],
    ['SessionStarted', b],
    ['StopIgnored', a],
    ['OwnershipReleased', b],
    ['OwnershipClaimed', b],
  ];
  return [
    [is(started, 201, 'started'), 'cloud-dev starts session A'],
    [is(tookOver, 201, 'started') && b !== a, 'cloud-debug starts a new session B in its place'],
    [epoch(tookOver) > epoch(started), "B's epoch is above A's"],
    ...stops.map(
      (stop, index): Check => [
        is(stop, 409, 'stale-session') && stop.asked?.sessionId === a && stop.current?.sessionId === b,
        `cloud-dev's stop of A, the ${['first', 'second', 'third'][index]}, is refused as stale-session, and the answer names B`,
      ],
    ),
    [isB(afterStops, epoch(tookOver)), 'after the stops B is still current, its epoch unchanged'],
    [
      ignored.length === 1 &&
        ignored[0]?.data.sessionId === a &&
        ignored[0]?.data.origin?.environment === 'cloud-dev' &&
        ignored[0]?.ignoredstops === stops.length,
      `the history has one StopIgnored for A from cloud-dev, with the count ${stops.length}`,
    ],
    [is(released, 200, 'released') && epoch(released) > epoch(tookOver), 'cloud-debug releases B'],
    [is(intruded, 409, 'reserved'), "cloud-staging's claim is refused as reserved"],
    [is(claimed, 200, 'claimed') && claimed.session?.sessionId === b, 'cloud-dev claims B'],
    [
      isB(last, epoch(released) + 1) &&
        last.session?.status === 'active' &&
        last.session.owner?.environment === 'cloud-dev',
      'in the end B is current and active on cloud-dev, one epoch after the release',
    ],
    [endsOfB.length === 0, `${view.who} never sees B end`],
    [
      isDeepStrictEqual(told, expected),
      `${view.who} sees ${named(expected, a)}, each once and in this order`,
    ],
    [
      isDeepStrictEqual(view.session, withoutAttributes(last)),
      `${view.who} has the same current session as what REST answers`,
    ],
  ];
}

function is({ status, outcome }: Answer, wantedStatus: number, wantedOutcome: string): boolean {
  return status === wantedStatus && outcome === wantedOutcome;
}

function named(events: (string | undefined)[][], a: string | undefined): string {
  return events.map(([type, session]) => `${type} ${session === a ? 'A' : 'B'}`).join(', ');
}

function withoutAttributes({ session }: Answer): object {
  return Object.fromEntries(Object.entries(session ?? {}).filter(([name]) => name !== 'attributes'));
}
