import { ArchiveError } from './errors.js';

const UNITS: Record<string, number> = { h: 3_600, d: 86_400, w: 604_800 };
const HUNDRED_YEARS = 100 * 365 * 86_400;

/**
 * Seconds of an age like `30d`: a whole number of hours (h), days (d) or weeks (w), at most a hundred years.
 * Throws ArchiveError `age`.
 */
export function parseAge(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,6})([hdw])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (seconds <= HUNDRED_YEARS) return seconds;
  throw new ArchiveError(
    'age',
    `"${text.slice(0, 40)}" is no age: write 30d, 12w or 96h, of at most 100 years.`,
  );
}
