import { RelayReport } from './partition-status.js';
import { RelayStopped } from './stopped.js';

function report() {
  const lines: string[] = [];
  const errors: Error[] = [];
  const hooks = { onError: (_: number, error: Error) => void errors.push(error) };
  const of = new RelayReport({ log: (level, line) => void lines.push(`${level} ${line}`), hooks }, 3);
  return { of, lines, errors };
}

const away = (times: number) => new Error(`away ${times}`);
const lost = new RelayStopped('kafka-lost', 'Delete the topic.');

test('what is wrong is told as long as it is, and said once', () => {
  const { of, lines, errors } = report();
  for (const times of [1, 2, 3]) of.failed('behind', 'Kafka cannot be reached', away(times));
  expect(of.status()).toEqual({
    partition: 3,
    state: 'behind',
    sent: 0,
    why: 'Kafka cannot be reached: away 3',
  });
  expect(lines).toEqual(['warn relay: partition 3: Kafka cannot be reached: away 1']);
  expect(errors).toHaveLength(3);
  of.well();
  expect(of.status()).toEqual({ partition: 3, state: 'behind', sent: 0 });
  of.failed('behind', 'Kafka cannot be reached', away(4));
  expect(lines).toHaveLength(2);
});

test('what it stopped for is told until the partition was looked at', () => {
  const { of, lines } = report();
  of.sent(7, 7);
  of.read(9);
  of.stop(lost);
  of.well();
  const stopped = {
    partition: 3,
    state: 'stopped',
    sent: 7,
    head: 9,
    why: 'Delete the topic.',
    code: 'kafka-lost',
  };
  expect(of.status()).toEqual(stopped);
  of.stop(lost);
  expect(lines).toEqual(['error relay: partition 3 stopped. Delete the topic.']);
  of.resumed();
  expect(of.status()).toEqual({ partition: 3, state: 'behind', sent: 7 });
  expect(lines.at(-1)).toBe('info relay: partition 3 continues');
});

test('a stopped one that another relay only looks at is still stopped, one that another relays is not', () => {
  const { of } = report();
  of.stop(lost);
  for (const _ of [1, 2]) of.refused();
  expect(of.stopped).toBe(true);
  of.takenOver();
  expect(of.status()).toEqual({ partition: 3, state: 'standby', sent: 0 });
});

test('one that is not stopped is on standby as soon as another relay has it', () => {
  const { of } = report();
  of.failed('behind', 'Kafka cannot be reached', away(1));
  of.refused();
  expect(of.status()).toEqual({ partition: 3, state: 'standby', sent: 0 });
});
