import { inflict } from '../faults/index.js';
import { type PlanOptions, planRounds, type Round } from './plan.js';
import { Random } from './random.js';

const tables = ['archives', 'details', 'events', 'heads', 'jobs', 'receipts'];
const cycleOf = (seed: number, size: PlanOptions['size']): Round[] => {
  const options = { random: new Random(seed), tables, partitions: 4, replicas: 2, size };
  return planRounds(options).next().value ?? [];
};

test.each(['small', 'long'] as const)(
  'a %s cycle has every kind of fault and a lock on every table',
  (size) => {
    for (let seed = 0; seed < 20; seed++) {
      const faults = cycleOf(seed, size).flatMap((round) => round.faults);
      expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(Object.keys(inflict)));
      expect(faults.flatMap(({ table }) => table ?? []).sort()).toEqual(tables);
    }
  },
);

test('the same seed gives the same plan, another seed another one', () => {
  expect(cycleOf(7, 'long')).toEqual(cycleOf(7, 'long'));
  expect(cycleOf(7, 'long')).not.toEqual(cycleOf(8, 'long'));
});
