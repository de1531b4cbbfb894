import { version } from './version.js';

const HELP = `session-ledger-server: starts Session Ledger.

It takes no arguments; environment variables set it up:
  DATABASE_URL     the Postgres to use; without it an embedded one is started
  KAFKA_BROKERS    host:port, separated by commas; "none": no mirror in Kafka
  PORT, HOST       where to listen: 4600 on 127.0.0.1
  LEDGER_DATA_DIR  where embedded servers keep their data: .data
All of them: docs/running.md. Commands for operators: session-ledger --help.
`;

/** The service takes none: whoever gives some wants to know how it is used, or means something that would not happen. */
export function answerArguments(given: readonly string[]): void {
  const [first] = given;
  if (first === undefined) return;
  if (first === '--help' || first === '-h') process.stdout.write(HELP);
  else if (first === '--version') process.stdout.write(`${version}\n`);
  else {
    process.stderr.write('The service takes no arguments: environment variables set it up. See --help.\n');
    process.exit(1);
  }
  process.exit(0);
}
