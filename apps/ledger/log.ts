import { ConsoleLogger } from '@nestjs/common';
import { maskSecrets } from '#access';

/** What the process says of itself; requests are counted (metrics), not logged. */
export interface Log {
  /** To whoever started it. */
  say(line: string): void;
  /** Only for people: not said where programs read. */
  suggest(line: string): void;
  /** What went wrong, on standard error. */
  complain(line: string): void;
  /** For what says it through Nest: faults of the machinery, and Nest itself. */
  nest: ConsoleLogger;
}

const NAME = 'session-ledger';

/** `LEDGER_LOG=json`: a JSON document a line, with `level`, `timestamp`, `message` and `context`. Otherwise lines for people. */
export function openLog(format: string | undefined): Log {
  if (format !== 'json') {
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    return {
      say,
      suggest: say,
      complain: (line) => void process.stderr.write(`${maskSecrets(line)}\n`),
      nest: new ConsoleLogger({ logLevels: ['error', 'warn'], colors: process.stdout.isTTY === true }),
    };
  }
  const json = new ConsoleLogger({ json: true, logLevels: ['log', 'error', 'warn'] });
  return {
    say: (line) => json.log(line, NAME),
    suggest: () => {},
    complain: (line) => json.error(maskSecrets(line), undefined, NAME),
    nest: new ConsoleLogger({ json: true, logLevels: ['error', 'warn'] }),
  };
}
