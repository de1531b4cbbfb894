import fc from 'fast-check';
import { addDecimals } from './decimal.js';

test.each([
  ['0.1', '0.2', '0.3'],
  ['1.23', '0', '1.23'],
  ['0.5', '0.5', '1'],
  ['0.000000001', '0.999999999', '1'],
  ['999999999999999999', '0.000000001', '999999999999999999.000000001'],
  ['999999999999999999', '1', '1000000000000000000'],
  ['1.10', '2.200', '3.3'],
  ['0', '0.0', '0'],
  ['10', '20', '30'],
])('%s + %s = %s', (one, other, sum) => {
  expect(addDecimals(one, other)).toBe(sum);
  expect(addDecimals(other, one)).toBe(sum);
});

/** Billionths, as a decimal. */
const decimal = (units: bigint) =>
  `${units / 1_000_000_000n}.${String(units % 1_000_000_000n).padStart(9, '0')}`;

test('many decimals add up to the very sum, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(0n, 10n ** 18n - 1n), { minLength: 1, maxLength: 50 }), (parts) => {
      const sum = decimal(parts.reduce((one, other) => one + other));
      const added = parts.map(decimal).reduce(addDecimals, '0');
      expect(added).toBe(sum.replace(/\.?0+$/, ''));
    }),
  );
});
