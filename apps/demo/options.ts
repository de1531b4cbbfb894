import { parseArgs } from 'node:util';
import { EVENTS_TOPIC } from '#broker';
import { localLedger } from '#dev-stack';
import { DemoError } from './error.js';

export interface Options {
  /** Where the ledger is, without a slash at the end. */
  url: string;
  /** Undefined: the app follows the ledger's own feed. */
  kafka: { brokers: string[]; topic: string } | undefined;
  json: boolean;
}

export const help = `Plays scenario 1, "switch", against a running ledger: a user moves from one cloud to another, and the first
cloud's late stop does not end the session on the second one. Each cloud and the app are separate processes.

Usage: npm run demo -- [options]

  --url URL           the ledger (LEDGER_URL, else the one that runs here)
  --kafka HOST:PORT   the Kafka that it relays to, comma-separated (else the one that runs here)
  --topic NAME        its topic there (LEDGER_TOPIC, else ${EVENTS_TOPIC})
  --without-kafka     the app follows the ledger's own feed instead
  --json              one JSON document per line instead of the timeline
  --help              this text

A ledger with access control needs LEDGER_TOKEN or LEDGER_TOKEN_FILE: a ledger-wide key of a tenant, with the
permissions read, write and audit.

Examples:
  npm start                                        in one terminal, and in another:
  npm run demo
  npm run demo -- --without-kafka
  npm run demo -- --url http://127.0.0.1:5600 --kafka 127.0.0.1:5602
  npm --silent run demo -- --json | jq -c '[.time, .who, .what, .result]'

Exits with 0 if everything went as expected, else with 1 and a line for each failed check.
`;

/** Throws DemoError for what cannot be understood. Undefined: show the help. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const given = values.url ?? env.LEDGER_URL;
  const local = given ? {} : localLedger(env.LEDGER_DATA_DIR || '.data');
  const url = given || local.url || 'http://127.0.0.1:4600';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new DemoError(`--url needs an address such as http://127.0.0.1:4600, not "${url}"`);
  }
  const brokers = values.kafka?.split(',') ?? [...(local.kafkaBrokers ?? ['127.0.0.1:4602'])];
  const isWithout = values['without-kafka'] || brokers.length === 0;
  if (!brokers.every((broker) => /^\S+:\d+$/.test(broker))) {
    throw new DemoError(`--kafka needs host:port such as 127.0.0.1:4602, not "${values.kafka}"`);
  }
  const topic = values.topic ?? (env.LEDGER_TOPIC || EVENTS_TOPIC);
  return {
    url: url.replace(/\/+$/, ''),
    kafka: isWithout ? undefined : { brokers, topic },
    json: values.json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        url: { type: 'string' },
        kafka: { type: 'string' },
        topic: { type: 'string' },
        'without-kafka': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new DemoError(`${(error as Error).message.split('. ')[0]}. See --help`);
  }
}
