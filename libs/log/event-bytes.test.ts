import { decodeEvent } from './event-bytes.js';
import { recordedLog } from './testing/recorded-log.js';

/** What a document says, read as the JSON that it is. */
function asJson(text: string) {
  const { id, type, time, partition, sequence, data } = JSON.parse(text);
  const { version: _, ...members } = data;
  expect(id).toBe(`${partition}:${Number(sequence)}`);
  const event = { type: type.replace(/^session-ledger\.(\w+)\.v1$/, '$1'), ...members };
  return { at: time, position: { partition, sequence: Number(sequence) }, event };
}

const log = recordedLog(2_000, 1).map(({ bytes }) => bytes.toString());
const first = log[0]!;
const changed = (from: string | RegExp, to: string) => {
  expect(first).toMatch(from);
  return first.replace(from, to);
};

test('every event is read as its JSON says', () => {
  const events = log.map(decodeEvent);
  expect(events).toEqual(log.map(asJson));
  expect(new Set(events.map(({ event }) => event.type)).size).toBeGreaterThanOrEqual(8);
});

test.each([
  [
    'an attribute that a later version adds',
    changed(',"data":', ',"traceparent":"00-af-b7-01","retry":3,"data":'),
  ],
  ['no member of its own', changed(/"data":.*/, '"data":{"version":7}}')],
  [
    'a member that looks like an envelope',
    changed('}}', `,"data":{"version":9},"note":${JSON.stringify(first)}}}`),
  ],
  ['a type of a later version', changed('SessionStarted.v1', 'SessionStarted.v2')],
  ['a type of somebody else', changed('session-ledger.SessionStarted.v1', 'com.example.Moved')],
])('so is one with %s', (_, text) => {
  expect(decodeEvent(text)).toEqual(asJson(text));
});

test.each([
  ['nothing', ''],
  ['another document', '{}'],
  ['another version of CloudEvents', changed('"1.0"', '"2.0"')],
  ['half an event', first.slice(0, -40)],
  ['an event and more', `${first} `],
  ['an envelope without data', changed(/,"data":.*/, '}')],
  ['a type that would end its string', changed('SessionStarted.v1', '\\')],
  ['attributes without end', changed(',"data":', ',"a":1'.repeat(100_000))],
  ['a value without end', changed('"subject":"', `"subject":"${'"time":"'.repeat(50_000)}`)],
])('%s is refused, soon', (_, text) => {
  const began = performance.now();
  expect(() => decodeEvent(text)).toThrow(SyntaxError);
  expect(performance.now() - began).toBeLessThan(1_000);
});
