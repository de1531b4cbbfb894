import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type NodeProcess, spawnNode } from '../../../test/support/process.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import { readLog } from '../testing/stored-log.js';
import { newPlace, start } from '../testing/submissions.js';

const script = fileURLToPath(new URL('../testing/writer-process.js', import.meta.url));
const ACKNOWLEDGED = /^([0-9a-f-]{36}) (\d+:\d+)$/;

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await openTestLedger();
});
afterEach(() => ledger.close());

const startWriter = () =>
  spawnNode(script, { args: [ledger.database.url, ledger.source, String(ledger.partitions), '64'] });
const acknowledged = ({ lines }: NodeProcess) => lines.filter((line) => ACKNOWLEDGED.test(line));

/** What was acknowledged and does not stand at its position, and what stands there although it was refused. */
async function untrue({ lines }: NodeProcess): Promise<string[]> {
  const log = await readLog(ledger.pool);
  const positions = new Map(log.map((one) => [one.document.commandid, `${one.partition}:${one.sequence}`]));
  return lines.filter((line) => {
    const [, commandId, position] = ACKNOWLEDGED.exec(line) ?? [];
    if (commandId) return positions.get(commandId) !== position;
    const [code, refused = ''] = line.split(' ');
    return code !== 'unknown-outcome' && positions.has(refused);
  });
}

async function until(met: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !(await met()); await sleep(5)) {
    if (performance.now() > end) throw new Error(`${what} did not happen within 10 s`);
  }
}

test('kill -9 in the middle of load: what was acknowledged is in the log, and a successor goes on', async () => {
  const killed: NodeProcess[] = [];
  for (let run = 0; run < 4; run += 1) {
    const writer = startWriter();
    killed.push(writer);
    await until(() => acknowledged(writer).length > 300, 'load');
    await sleep(Math.random() * 50);
    await writer.kill('SIGKILL');
  }
  const answer = await ledger.writer().submit(start(newPlace(ledger.partitions)));
  expect(answer).toMatchObject({ kind: 'accepted' });
  for (const writer of killed) expect(await untrue(writer)).toEqual([]);
  expect(await brokenPromises(ledger.pool)).toEqual([]);
});

test('a process that is paused with the lock in its hand holds others up no longer than a statement may run', async () => {
  const paused = startWriter();
  await until(() => acknowledged(paused).length > 300, 'load');
  const writer = ledger.writer();
  const places = Array.from({ length: ledger.partitions }, (_, one) => newPlace(ledger.partitions, one));
  await until(async () => {
    paused.child.kill('SIGSTOP');
    await sleep(20); // a statement that was under way is over
    if (await holdsALock()) return true;
    paused.child.kill('SIGCONT');
    await sleep(20 + Math.random() * 20);
    return false;
  }, 'a pause with a lock held');
  const began = performance.now();
  const answers = await Promise.all(places.map((place) => writer.submit(start(place))));
  const waited = performance.now() - began;
  expect(answers.map(({ kind }) => kind)).toEqual(places.map(() => 'accepted'));
  expect(waited).toBeGreaterThan(200); // it did hold them up
  expect(waited).toBeLessThan(1_500); // its statements may run for 500 ms

  const before = acknowledged(paused).length;
  paused.child.kill('SIGCONT');
  await until(() => acknowledged(paused).length > before + 100, 'its recovery');
  await paused.kill('SIGKILL');
  expect(await untrue(paused)).toEqual([]);
  expect(await brokenPromises(ledger.pool)).toEqual([]);
});

async function holdsALock(): Promise<boolean> {
  const { rowCount } = await ledger.pool.query(
    `select 1 from pg_stat_activity
      where datname = current_database() and application_name = 'session-ledger' and state = 'idle in transaction'`,
  );
  return (rowCount ?? 0) > 0;
}
