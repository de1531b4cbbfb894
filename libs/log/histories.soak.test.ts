import { type Told, untruths } from './testing/answers.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { brokenPromises } from './testing/promises.js';
import { sendAtRandom } from './testing/random-callers.js';
import { newPlace } from './testing/submissions.js';

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await openTestLedger();
});
afterEach(() => ledger.close());

test.each([1, 2, 3])(
  'three replicas, few scopes, many callers at random: the promises hold (%#)',
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const writers = [ledger.writer(), ledger.writer({ lanes: 1 }), ledger.writer({ maxBatch: 7 })];
    const places = Array.from({ length: 6 }, () => newPlace(ledger.partitions));
    const told = await sendAtRandom({ writers, places, callers: 24, turns: 80, seed });
    const broken = await brokenPromises(ledger.pool);
    const untrue = await untruths(told, ledger.pool);
    expect({ seed, broken, untrue }).toEqual({ seed, broken: [], untrue: [] });
  },
);

test('the random callers come upon every outcome, every refusal and every other answer', async () => {
  const writers = [ledger.writer(), ledger.writer()];
  const places = Array.from({ length: 4 }, () => newPlace(ledger.partitions));
  const answers = new Set<string>();
  // What callers come upon also depends on who is faster: some rounds, each with another seed.
  for (let seed = 1; seed <= 12 && expected.some((one) => !answers.has(one)); seed++) {
    const told = await sendAtRandom({ writers, places, callers: 8, turns: 200, seed: seed * 1_000 });
    for (const { answer } of told) answers.add(nameOf(answer));
  }
  expect([...answers].sort()).toEqual([...expected].sort());
}, 240_000);

const expected = (
  'started joined claimed activated rotated already-rotated released ended already-ended unchanged ' +
  'stale-epoch stale-session future-epoch session-active session-not-active session-ended ' +
  'changed handle-taken reserved not-owner operate-required unknown-session replayed ' +
  'recorded marked recovered started-fresh already-recovered marked-invalid reported ' +
  'chain-too-long usage-overflow session-invalid unknown-checkpoint checkpoint-taken'
).split(' ');

function nameOf(answer: Told['answer']): string {
  if (!('kind' in answer)) return answer.code;
  if (answer.kind === 'accepted') return answer.replayed ? 'replayed' : answer.outcome;
  return answer.kind === 'refused' ? answer.refusal.code : answer.kind;
}
