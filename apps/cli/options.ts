import { InvalidArgumentError, Option } from 'commander';

/** Where the ledger is reached over HTTP. */
export const urlOption = () =>
  new Option('--url <url>', 'the ledger')
    .env('LEDGER_URL')
    .default('http://127.0.0.1:4600')
    .argParser(httpUrl);

/** Where its Postgres is, for work that does without the service. */
export const databaseOption = () =>
  new Option('--database-url <url>', "the ledger's Postgres")
    .env('DATABASE_URL')
    .makeOptionMandatory()
    .argParser(databaseUrl);

export const archivesOption = () =>
  new Option('--archives <dir>', 'where the files are that events were archived to');

export const jsonOption = () => new Option('--json', 'one JSON document a line instead of a table');

export function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}

function httpUrl(text: string): string {
  if (/^https?:\/\/[^\s]+$/.test(text)) return text.replace(/\/+$/, '');
  throw new InvalidArgumentError('It has to begin with http:// or https://.');
}

function databaseUrl(text: string): string {
  if (/^postgres(ql)?:\/\//.test(text)) return text;
  throw new InvalidArgumentError('It has to begin with postgres://.');
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A time to last, in seconds. */
export function timeSpan(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError('It has to be a time, such as 90d, 24h, 30m or 0s.');
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
