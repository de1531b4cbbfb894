// Stands for a coding agent: every run answers with a new session id, whose context is all that was asked before.
//   node fake-agent.js <operation> [--resume <session id>]   with the prompt as its input
// Its sessions are files in FAKE_AGENT_HOME: delete one, and it is an invalid session id. A file named `overloaded`
// makes one run fail. With FAKE_AGENT_HOLD a run
// makes a file `holding`, and goes on when that is gone.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

const home = process.env.FAKE_AGENT_HOME ?? join(tmpdir(), 'fake-agent');
const [operation, , resumed] = process.argv.slice(2);
await mkdir(home, { recursive: true });

function fail(why) {
  console.error(why);
  process.exit(1);
}

await rm(join(home, 'overloaded')).then(
  () => fail('overloaded: try again later'),
  () => {}, // it is not
);
const context = resumed
  ? await readFile(join(home, resumed), 'utf8').catch(() => fail('invalid session id'))
  : '';
if (process.env.FAKE_AGENT_HOLD) {
  const holding = join(home, 'holding');
  await writeFile(holding, '');
  while (existsSync(holding)) await pause(20);
}

const next = randomUUID();
const result = `${context}${operation} ${await text(process.stdin)}\n`;
await writeFile(join(home, next), result);
const usage = { inputTokens: result.length, outputTokens: 10, cost: { amount: '0.01', currency: 'EUR' } };
console.log(JSON.stringify({ session_id: next, result: result.trimEnd(), usage }));
