import { InvalidArgumentError, Option } from 'commander';
import { maskPasswords } from '#access/masking';
import { DatabaseUrlError, databaseUrlOf, requireVerified } from '#postgres';
import { local } from './options.js';

/** Where its Postgres is, for work that does without the service. */
export const databaseOption = () => {
  const option = new Option('--database-url <url>', "the ledger's Postgres")
    .env('DATABASE_URL')
    .argParser(databaseUrl);
  const inFile = process.env.DATABASE_URL ? undefined : databaseUrlOf(process.env);
  if (inFile) return option.default(inFile, 'that in DATABASE_URL_FILE');
  if (local.databaseUrl)
    return option.default(local.databaseUrl, 'the database of the ledger that runs here');
  return option.makeOptionMandatory();
};

function verified(url: string): string {
  try {
    requireVerified(url, process.env);
    return url;
  } catch (error) {
    if (!(error instanceof DatabaseUrlError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
}

export function databaseUrl(text: string): string {
  warnOfPassword(text);
  if (/^postgres(ql)?:\/\//.test(text)) return verified(text);
  throw new InvalidArgumentError('It has to begin with postgres://.');
}

let isWarned = false;

/** Everybody on the machine sees the arguments of a process. */
function warnOfPassword(url: string): void {
  const isArgument = process.argv.some((one) => one === url || one === `--database-url=${url}`);
  if (isWarned || !isArgument || maskPasswords(url) === url) return;
  isWarned = true;
  process.stderr.write(
    'The password in --database-url shows in lists of processes: put the URL into DATABASE_URL or into a file that ' +
      'DATABASE_URL_FILE names, or leave the password to PGPASSFILE.\n',
  );
}
