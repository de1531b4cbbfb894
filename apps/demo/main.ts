import { CredentialError } from '#client';
import { notSo } from './checks.js';
import { conclude } from './conclusion.js';
import { DemoError } from './error.js';
import { ask } from './ledger-http.js';
import { help, type Options, readOptions } from './options.js';
import { play } from './story.js';
import { columns, jsonLines } from './timeline.js';

const say = (line: string) => process.stdout.write(`${line}\n`);
const complain = (line: string) => process.stderr.write(`${line}\n`);

/** Resolves with the exit code. */
async function run(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) {
    process.stdout.write(help);
    return 0;
  }
  await findLedger(options);
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const timeline = options.json ? jsonLines(say) : columns(say, colours);
  const facts = await play(options, timeline);
  const wrong = notSo(facts);
  timeline.conclude(conclude(facts, timeline.call), wrong);
  for (const sentence of wrong) complain(`Failed: ${sentence}`);
  return wrong.length === 0 ? 0 : 1;
}

/** Throws DemoError when there is no ledger, or it has nothing that the app could follow. */
async function findLedger({ url, kafka }: Options): Promise<void> {
  const { body } = await ask(`${url}/health/ready`);
  const { ready, postgres, relay, relayWhy } = body as Record<string, unknown>;
  if (ready !== true) throw new DemoError(`the ledger at ${url} is not ready: Postgres ${postgres}`);
  const access = await ask(`${url}/v1/access`);
  const { permissions = [] } = access.body as { permissions?: string[] };
  const lacking = ['read', 'write', 'audit'].filter((one) => !permissions.includes(one));
  if (access.status === 401 || lacking.length > 0) {
    const why =
      access.status === 401 ? 'the credential is missing or invalid' : `it lacks ${lacking.join(', ')}`;
    throw new DemoError(
      `the ledger at ${url} needs a key with read, write and audit in LEDGER_TOKEN or LEDGER_TOKEN_FILE: ${why}`,
    );
  }
  if (kafka && relay === 'none') {
    throw new DemoError(`the ledger at ${url} relays to no Kafka: add --without-kafka`);
  }
  if (kafka && relay === 'stopped')
    throw new DemoError(`the ledger at ${url} has stopped its relay: ${relayWhy}`);
}

run()
  .catch((error) => {
    complain(
      error instanceof DemoError || error instanceof CredentialError ? `demo: ${error.message}` : error.stack,
    );
    return 1;
  })
  .then((code) => {
    process.exitCode = code;
  });
