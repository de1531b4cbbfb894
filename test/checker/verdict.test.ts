import {
  ignored,
  logOf,
  operation,
  place,
  problem,
  session,
  shown,
  started,
  startedAt,
  stop,
  superseded,
} from './false-histories.js';
import type { Log } from './log.js';
import { type Answer, hashOfPage, type Operation } from './operation.js';
import { mirrors } from './rules/mirrors.js';
import { verdict } from './verdict.js';
import { explain } from './violation.js';

const first = started('a', 1, 1);
const second = started('b', 2, 2);
const firstStart = operation('start', 'a', [0, 10], startedAt(1, first));
const secondStart = operation('start', 'b', [20, 30], startedAt(3, second));
/** Ada's first session, and the second one in its place. */
const log = logOf([[first], [superseded(1, 2), second]]);

const rulesOf = (operations: readonly Operation[], of: Log = log) =>
  verdict(operations, of).map(({ rule }) => rule);
const messagesOf = (operations: readonly Operation[], of: Log = log) =>
  verdict(operations, of).map(({ message }) => message);

describe('a true history', () => {
  test('has no violations', () => {
    const history = [
      firstStart,
      operation('current', 'r1', [11, 12], { status: 200, session: shown(first) }),
      secondStart,
      operation('current', 'r2', [31, 32], { status: 200, session: shown(second) }),
      operation(
        'session',
        'r3',
        [33, 34],
        { status: 200, session: shown(superseded(1, 2)) },
        { sessionId: session(1, 1).sessionId },
      ),
      operation('snapshot', 'r4', [35, 36], {
        status: 200,
        snapshot: [{ position: place(3), sessions: [shown(second)] }],
      }),
    ];
    expect(messagesOf(history)).toEqual([]);
  });

  test('may leave open whether a command was obeyed whose answer was lost', () => {
    expect(messagesOf([operation('start', 'a', [0, 10], undefined), secondStart])).toEqual([]);
    expect(messagesOf([firstStart, secondStart, operation('start', 'c', [40, 50], undefined)])).toEqual([]);
  });

  test('may show a read anything between what was known and what can have been', () => {
    const during = (answer: Answer) => [firstStart, secondStart, operation('current', 'r', [15, 35], answer)];
    expect(messagesOf(during({ status: 200, session: shown(first) }))).toEqual([]);
    expect(messagesOf(during({ status: 200, session: shown(second) }))).toEqual([]);
  });
});

describe('who was told to be obeyed', () => {
  test('is not in the log', () => {
    const lost = operation('start', 'c', [40, 50], startedAt(4, started('c', 3, 3)));
    expect(messagesOf([firstStart, secondStart, lost])).toContain('the log ends before 0:4');
  });

  test('finds the event of somebody else', () => {
    const stolen = operation('start', 'c', [0, 10], startedAt(1, first));
    expect(rulesOf([stolen, secondStart])).toEqual(['obeyed']);
  });

  test('finds another session than was told', () => {
    const told = startedAt(1, first, { session: shown(started('a', 1, 1, { chainLength: 2 })) });
    expect(rulesOf([operation('start', 'a', [0, 10], told), secondStart])).toEqual(['obeyed']);
  });

  test('finds an event of another type', () => {
    const told = startedAt(2, second);
    expect(messagesOf([firstStart, operation('start', 'b', [20, 30], told)])).toContain(
      'at 0:2 stands SessionSuperseded, not started',
    );
  });

  test('was told the attributes of another session', () => {
    const told = startedAt(1, first, { session: { ...shown(first), attributes: '{"marker":"x"}' } });
    expect(rulesOf([operation('start', 'a', [0, 10], told), secondStart])).toEqual(['obeyed']);
  });
});

describe('a command has at most one effect', () => {
  const keyed = { key: 'k' };

  test('and not two', () => {
    const twice = logOf([[first], [superseded(1, 2), started('a', 2, 2)]]);
    expect(rulesOf([operation('start', 'a', [0, 30], undefined)], twice)).toContain('once');
  });

  test('and none after it was told not to be obeyed', () => {
    const refused = operation('start', 'a', [0, 10], problem('unavailable'));
    expect(rulesOf([refused, secondStart])).toEqual(['not obeyed']);
    expect(explain(verdict([refused, secondStart], log)[0]!, [])).toMatch(
      /^not obeyed: no attempt was obeyed or unknown, yet it stands at 0:1\n {4}#0 client at replica 0, .*503 unavailable$/,
    );
  });

  test('also when asking again tells what it was', () => {
    const kept = logOf([[first]], { receipts: { k: [1] } });
    const refused = operation('start', 'a', [0, 10], problem('unavailable'), keyed);
    const again = operation('start', 'a', [20, 30], startedAt(1, first, { replayed: true }), keyed);
    expect(rulesOf([refused, again], kept)).toEqual(['not obeyed', 'asked again']);
    const unknown = operation('start', 'a', [0, 10], problem('unknown-outcome'), keyed);
    expect(messagesOf([unknown, again], kept)).toEqual([]);
  });

  test('and is told where it was when it is asked again', () => {
    const kept = logOf([[first], [superseded(1, 2), started('a', 2, 2)]], { receipts: { k: [1] } });
    const begun = operation('start', 'a', [0, 10], startedAt(1, first), keyed);
    const again = operation('start', 'a', [20, 30], startedAt(3, started('a', 2, 2)), keyed);
    expect(rulesOf([begun, again], kept)).toEqual(['once', 'once', 'asked again']);
  });

  test('and its key has one receipt', () => {
    const begun = operation('start', 'a', [0, 10], startedAt(1, first), keyed);
    expect(rulesOf([begun], logOf([[first]]))).toEqual(['once']);
    expect(rulesOf([begun], logOf([[first]], { receipts: { k: [1, 1] } }))).toEqual(['once']);
  });

  test('and is not refused once that is in the log', () => {
    const kept = logOf([[first]], { receipts: { k: [1] } });
    const lost = operation('start', 'a', [0, 40], undefined, keyed);
    const more = { position: place(1), current: shown(first) };
    const again = operation('start', 'a', [20, 30], problem('session-active', 409, more), keyed);
    expect(rulesOf([lost, again], kept)).toEqual(['asked again']);
  });
});

describe('a refusal', () => {
  const refused = (code: string, current: Answer['current'], sequence = 3, status = 409) =>
    stop(1, 1, [40, 50], problem(code, status, { position: place(sequence), ...(current && { current }) }));
  const stops = [{ digit: 1, epoch: 1, count: 1 }];
  const counted = logOf([[first], [superseded(1, 2), second], [ignored(1, 1)]], { stops });
  const told = (operation: Operation) => rulesOf([firstStart, secondStart, operation], counted);

  test('names what was current at its position', () => {
    expect(told(refused('stale-session', shown(second), 4))).toEqual([]);
    expect(told(refused('stale-session', shown(first), 4))).toEqual(['refused']);
    expect(told(refused('session-ended', undefined, 4))).toEqual(['refused']);
  });

  test('has a reason that is true there', () => {
    expect(told(refused('session-ended', shown(second), 4))).toEqual(['refused']);
  });

  test('is no failure of the service', () => {
    expect(told(refused('unavailable', undefined, 4, 503))).toEqual(['refused', 'ignored stops']);
  });
});

describe('stops that were not obeyed', () => {
  const answer = problem('stale-session', 409, { position: place(4), current: shown(second) });
  const history = [firstStart, secondStart, stop(1, 1, [40, 50], answer), stop(1, 1, [60, 70], answer)];
  const counted = (count: number) =>
    logOf([[first], [superseded(1, 2), second], [ignored(1, 1)]], { stops: [{ digit: 1, epoch: 1, count }] });

  test('are counted exactly', () => {
    expect(messagesOf(history, counted(2))).toEqual([]);
    expect(messagesOf(history, counted(3))).toEqual(['stops that were refused: 2; counted: 3']);
    expect(messagesOf(history, counted(1))).toEqual(['stops that were refused: 2; counted: 1']);
  });

  test('may be counted or not when the answer was lost', () => {
    const lost = [...history, stop(1, 1, [80, 90], undefined)];
    expect(messagesOf(lost, counted(2))).toEqual([]);
    expect(messagesOf(lost, counted(3))).toEqual([]);
    expect(messagesOf(lost, counted(4))).toEqual(['stops that were refused: 2 to 3; counted: 4']);
  });

  test('are counted for nobody who never asked', () => {
    expect(rulesOf([firstStart, secondStart], counted(1))).toEqual(['ignored stops']);
  });
});

describe('real time', () => {
  test('a command that was asked after another one was answered does not stand before it', () => {
    const late = operation('start', 'a', [40, 50], startedAt(1, first));
    expect(rulesOf([secondStart, late])).toEqual(['order']);
  });

  test('nothing stands behind what nobody had asked for yet', () => {
    const early = operation('start', 'b', [0, 10], startedAt(3, second));
    expect(rulesOf([early, operation('start', 'a', [40, 50], undefined)])).toEqual(['order']);
  });

  test('a read does not show what was over before it was asked', () => {
    const stale = operation('current', 'r', [40, 50], { status: 200, session: shown(first) });
    expect(messagesOf([firstStart, secondStart, stale])).toEqual([
      'it shows …0001 active, epoch 1, revision 1; which it was from 0:1 to 0:1, and the read has to be from 0:3 (…0002 active, epoch 2, revision 2) to 0:3',
    ]);
  });

  test('a read does not show what comes later', () => {
    const early = operation('current', 'r', [11, 15], { status: 200, session: shown(second) });
    expect(rulesOf([firstStart, early, secondStart])).toEqual(['read']);
  });

  test('a read that has seen something new is known to those after it', () => {
    const pending = operation('start', 'b', [20, 100], startedAt(3, second));
    const sees = operation('current', 'r1', [30, 40], { status: 200, session: shown(second) });
    const goesBack = operation('current', 'r2', [50, 60], { status: 200, session: shown(first) });
    expect(rulesOf([firstStart, pending, sees, goesBack])).toEqual(['read']);
    expect(rulesOf([firstStart, pending, sees])).toEqual([]);
  });

  test('nothing is told to be unknown that was acknowledged', () => {
    const missing = operation('current', 'r', [40, 50], problem('no-current-session', 404));
    expect(rulesOf([firstStart, secondStart, missing])).toEqual(['read']);
    const unknown = operation('session', 'r', [40, 50], problem('unknown-session', 404), {
      sessionId: session(2, 2).sessionId,
    });
    expect(rulesOf([firstStart, secondStart, unknown])).toEqual(['read']);
  });

  test('a session that has ended is not told as current', () => {
    const ended = superseded(1, 2);
    const over = logOf([[first], [ended]]);
    const read = operation('current', 'r', [40, 50], { status: 200, session: shown(ended) });
    expect(rulesOf([firstStart, read], over)).toEqual(['read']);
  });

  test('a snapshot leaves nothing out and is not older than what was known', () => {
    const snapshot = (sequence: number, ...sessions: Operation['answer'][]) =>
      operation('snapshot', 's', [40, 50], {
        status: 200,
        snapshot: [{ position: place(sequence), sessions: sessions.map((one) => one!.session!) }],
      });
    const of = (event: typeof first): Answer => ({ status: 200, session: shown(event) });
    expect(rulesOf([firstStart, secondStart, snapshot(3, of(second))])).toEqual([]);
    expect(rulesOf([firstStart, secondStart, snapshot(3)])).toEqual(['read']);
    expect(rulesOf([firstStart, secondStart, snapshot(3, of(first), of(second))])).toEqual(['read']);
    expect(rulesOf([firstStart, secondStart, snapshot(1, of(first))])).toEqual(['read']);
  });

  test('a page of the feed has the bytes of the log', () => {
    const [events = []] = log.partitions;
    const page = (of: readonly string[], after: number) =>
      operation('feed', 'f', [40, 50], {
        status: 200,
        page: { after, count: of.length, hash: hashOfPage(of) },
      });
    const texts = events.map(({ bytes }) => bytes.toString());
    expect(rulesOf([firstStart, secondStart, page(texts.slice(1), 1)])).toEqual([]);
    expect(rulesOf([firstStart, secondStart, page([texts[0]!, texts[2]!], 0)])).toEqual(['read']);
  });
});

test('a lease that was renewed does not lapse before its end', () => {
  const lapsed = { type: 'OwnershipLapsed', session: session(1, 2, { status: 'released' }) } as const;
  const at = { 1: '2030-01-01T00:00:00.000Z', 2: '2030-01-01T00:00:05.000Z' };
  const renewed = (until: string) => {
    const of = { sessionId: session(1, 1).sessionId, body: { epoch: 1 } };
    return operation('renew', 'n', [20, 30], { status: 200, outcome: 'renewed', until }, of);
  };
  const lease = logOf([[first], [lapsed]], { at });
  expect(rulesOf([firstStart, renewed('2030-01-01T00:00:05.000Z')], lease)).toEqual([]);
  expect(rulesOf([firstStart, renewed('2030-01-01T00:00:05.001Z')], lease)).toEqual(['leases']);
});

describe('the log alone', () => {
  test('has one current session at every position', () => {
    expect(messagesOf([], logOf([[first], [second]]))).toContain(
      '0:2 SessionStarted leaves 2 current sessions in default/ada/captions',
    );
  });

  test('never lowers an epoch and never revives a session', () => {
    const messages = messagesOf([], logOf([[first], [superseded(1, 3)], [started('c', 1, 2)]]));
    expect(messages).toEqual([
      '0:3 SessionStarted revives …0001',
      '0:3 SessionStarted lowers the epoch from 3 to 2',
    ]);
  });

  test('has no gap', () => {
    const [events = []] = log.partitions;
    const gap = { ...log, partitions: [events.filter(({ sequence }) => sequence !== 2)] };
    expect(messagesOf([], gap)).toContain('0:3 SessionStarted stands where 2 should');
  });
});

test('an answer that no request should get is one', () => {
  expect(rulesOf([operation('start', 'c', [0, 10], problem('internal', 500))])).toEqual(['answers']);
  expect(
    rulesOf([operation('start', 'c', [0, 10], { status: 502, strange: 'no JSON: Bad Gateway' })]),
  ).toEqual(['answers']);
});

describe('a mirror', () => {
  const events = log.partitions[0] ?? [];
  const found = (sequences: readonly number[], mayRepeat = false, bytes?: Buffer) => {
    const copy = sequences.map((sequence) => ({ sequence, bytes: bytes ?? events[sequence - 1]!.bytes }));
    return mirrors(log, { name: 'Kafka', mayRepeat, partitions: [copy] }).map(({ message }) => message);
  };

  test('has every event once, in order', () => {
    expect(found([1, 2, 3])).toEqual([]);
    expect(found([1, 3])).toEqual(['Kafka, partition 0: after 1 comes 3']);
    expect(found([1, 2])).toEqual(['Kafka, partition 0: it ends at 2, the table at 3']);
    expect(found([1, 2, 2, 3])).toEqual(['Kafka, partition 0: 2 comes again after 2']);
  });

  test('may repeat only where its readers drop what they have seen', () => {
    expect(found([1, 2, 1, 2, 3], true)).toEqual([]);
  });

  test('has the bytes of the table', () => {
    expect(found([1], true, Buffer.from('{}'))).toContain(
      'Kafka, partition 0: 1 has other bytes than the table',
    );
  });
});
