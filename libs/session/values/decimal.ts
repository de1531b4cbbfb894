/** A number that is not negative: its digits, without needless zeros at either end, times ten to the `exponent`. */
export interface Decimal {
  /** None of zero. */
  digits: string;
  exponent: number;
}

/** The exact sum of two decimals that are not negative, such as `0.1` and `12`, without needless zeros. */
export function addDecimals(one: string, other: string): string {
  const [a, b] = [partsOf(one), partsOf(other)];
  const places = Math.max(a.fraction.length, b.fraction.length);
  const digits = (unitsOf(a, places) + unitsOf(b, places)).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** What a number's text says, without its sign: `0.00150`, `15e-4` and `1.5E-3` say the same. */
export function decimalOf(text: string): Decimal {
  const [mantissa = '', exponent = '0'] = text.replace(/^-/, '').split(/[eE]/);
  const { whole, fraction } = partsOf(mantissa);
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length; // not by a pattern: that takes the square of the time for a row of zeros
  while (digits[end - 1] === '0') end -= 1;
  if (end === 0) return { digits: '', exponent: 0 };
  return {
    digits: digits.slice(0, end),
    exponent: Number(exponent) - fraction.length + (digits.length - end),
  };
}

/** How many digits a decimal has before the point, and how many after it. */
export function placesOf({ digits, exponent }: Decimal): { whole: number; fraction: number } {
  return { whole: Math.max(0, digits.length + exponent), fraction: Math.max(0, -exponent) };
}

/** The decimal without an exponent. Its length is that of its places: ask for those before. */
export function plainDecimal({ digits, exponent }: Decimal): string {
  if (exponent >= 0) return digits === '' ? '0' : digits + '0'.repeat(exponent);
  const padded = digits.padStart(1 - exponent, '0');
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

interface Parts {
  whole: string;
  fraction: string;
}

function partsOf(decimal: string): Parts {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return { whole, fraction };
}

/** The decimal in units of 10^-places. */
function unitsOf({ whole, fraction }: Parts, places: number): bigint {
  return BigInt(whole + fraction.padEnd(places, '0'));
}
