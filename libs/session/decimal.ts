/** The exact sum of two decimals that are not negative, such as `0.1` and `12`, without needless zeros. */
export function addDecimals(one: string, other: string): string {
  const [a, b] = [partsOf(one), partsOf(other)];
  const places = Math.max(a.fraction.length, b.fraction.length);
  const digits = (unitsOf(a, places) + unitsOf(b, places)).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
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
