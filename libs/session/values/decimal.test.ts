import fc from 'fast-check';
import { addDecimals, decimalOf, placesOf, plainDecimal } from './decimal.js';

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

test.each([
  ['1.5e-7', '0.00000015', { whole: 0, fraction: 8 }],
  ['1.50E-07', '0.00000015', { whole: 0, fraction: 8 }],
  ['15e-1', '1.5', { whole: 1, fraction: 1 }],
  ['1e+3', '1000', { whole: 4, fraction: 0 }],
  ['0.028596000000000003', '0.028596000000000003', { whole: 0, fraction: 18 }],
  ['100', '100', { whole: 3, fraction: 0 }],
  ['0.10', '0.1', { whole: 0, fraction: 1 }],
  ['0e9', '0', { whole: 0, fraction: 0 }],
  ['-0', '0', { whole: 0, fraction: 0 }],
  ['12.5e1', '125', { whole: 3, fraction: 0 }],
])('%s is %s', (text, plain, places) => {
  expect(plainDecimal(decimalOf(text))).toBe(plain);
  expect(placesOf(decimalOf(text))).toEqual(places);
});

test('any number is the decimal that JavaScript writes for it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e18, noNaN: true }), (number) => {
      const plain = plainDecimal(decimalOf(String(number)));
      expect(plain).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
      expect(Number(plain)).toBe(number);
    }),
  );
});

test('a long row of zeros takes no time', () => {
  expect(decimalOf(`${'0'.repeat(500_000)}.${'0'.repeat(500_000)}1`)).toEqual({
    digits: '1',
    exponent: -500_001,
  });
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
