import { InvalidArgumentError, Option } from 'commander';
import { localLedger } from '#dev-stack/local-ledger';

/** What `npm start` runs here, if it does: beside it nothing has to be said about where things are. */
export const local = localLedger(process.env.LEDGER_DATA_DIR || '.data');

/** Where the ledger is reached over HTTP. */
export const urlOption = () =>
  new Option('--url <url>', 'the ledger')
    .env('LEDGER_URL')
    .default(local.url ?? 'http://127.0.0.1:4600')
    .argParser(httpUrl);

export const archivesOption = () => new Option('--archives <dir>', 'the directory with the archive files');

export const jsonOption = () => new Option('--json', 'one JSON document a line instead of a table');

/** As whom something is done: an environment, or one instance of it. */
export const asOption = () =>
  new Option('--as <environment/instance>', 'the owner: an environment, or one instance of it').argParser(
    owner,
  );

export const reasonOption = () =>
  new Option('--reason <text>', 'why, 1 to 64 characters; it stays in the log, so no personal data');

export function owner(text: string): { environment: string; instance?: string } {
  const [, environment, instance] = /^([^/]+)(?:\/(.+))?$/.exec(text) ?? [];
  if (environment === undefined)
    throw new InvalidArgumentError('It has to be an environment, or environment/instance.');
  return { environment, ...(instance && { instance }) };
}

/** RFC 3339, or a position. */
export function asOf(text: string): string {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text));
  if (isTime || /^\d{1,4}:\d{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It has to be a time such as 2026-11-01T12:00:00Z, or a position such as 3:120.',
  );
}

export function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}

function httpUrl(text: string): string {
  if (/^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '');
  throw new InvalidArgumentError('It has to be an address that begins with http:// or https://.');
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A time to last, in seconds. */
export function timeSpan(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError('It has to be a time, such as 90d, 24h, 30m or 0s.');
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/** A time to last that has a default. */
export const timeOption = (flags: string, description: string, usual: string) =>
  new Option(flags, description).argParser(timeSpan).default(timeSpan(usual), usual);
