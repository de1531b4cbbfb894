import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { LedgerClient, type LedgerEvent } from '#client';
import { startGuarded } from '../../test/support/access/guarded.js';
import { startLoad } from '../../test/support/load.js';
import { freshTopic, type Service, startService } from '../../test/support/service.js';
import { newUser } from '../../test/support/sessions.js';

const worker = fileURLToPath(new URL('./worker.py', import.meta.url));
const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const kafkaBrokers = process.env.TEST_KAFKA_BROKERS ?? '';
const kafka = new kafkajs.Kafka({ brokers: kafkaBrokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
const directory = await mkdtemp(join(tmpdir(), 'python-worker-'));
const python = join(directory, 'venv/bin/python');
const run = promisify(execFile);

/** Python with what the worker needs; else why there is none. */
async function install(): Promise<string | undefined> {
  try {
    await run('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']);
    await run('python3', ['-m', 'venv', join(directory, 'venv')]);
  } catch {
    return 'there is no python3 of 3.10 or newer with venv';
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
  return run(python, [...pip, '--timeout', '10', '-r', requirements], {
    timeout: 120_000,
    cwd: fileURLToPath(new URL('.', import.meta.url)), // the requirements name the client by its path
  }).then(
    () => undefined,
    ({ stderr }) => `nothing can be installed from PyPI: ${String(stderr).trim().split('\n').at(-1)}`,
  );
}

const missing = await install();
if (missing !== undefined) await rm(directory, { recursive: true }); // no hook runs for tests that are skipped
const withPython = missing === undefined ? test : test.skip;
const because = missing === undefined ? '' : ` (skipped: ${missing})`;

/** The worker's tables. */
interface Report {
  positions: [partition: number, sequence: number][];
  tally: [scope: string, type: string, events: number][];
  workspaces: [scope: string, session: string, epoch: number][];
  refusals: [scope: string, epoch: number][];
}

let service: Service;
let ledger: LedgerClient;
let topic: string;
let env: NodeJS.ProcessEnv;
let database = 0;
beforeEach(async () => {
  topic = freshTopic();
  service = await startService({ kafkaBrokers, topic });
  ledger = new LedgerClient({ url: service.url });
  const db = join(directory, `worker-${database++}.db`);
  env = {
    ...process.env,
    LEDGER_URL: service.url,
    KAFKA_BROKERS: kafkaBrokers,
    LEDGER_TOPIC: topic,
    WORKER_DB: db,
  };
});
afterEach(async () => {
  ledger.close();
  for (const stop of running) await stop('SIGKILL');
  await service.stop();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const running = new Set<(signal: NodeJS.Signals) => Promise<number | null>>();

/** The worker, as a process; `said` is what it prints. */
function startWorker() {
  const child = spawn(python, [worker], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { said: '', complained: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.complained += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  const stop = (signal: NodeJS.Signals) => {
    running.delete(stop);
    child.kill(signal);
    return ended;
  };
  running.add(stop);
  return { output, stop };
}

const report = async (): Promise<Report> =>
  JSON.parse((await run(python, [worker, 'report'], { env })).stdout);
const handled = async () => (await report()).positions.reduce((sum, [, sequence]) => sum + sequence, 0);

/** Everything that the ledger has, by partition. */
async function feed(): Promise<LedgerEvent[][]> {
  const partitions = Array.from({ length: 16 }, async (_, partition) => {
    const events: LedgerEvent[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: { events: LedgerEvent[]; next?: number } = await ledger.call('feed', {
        query: { partition, after, limit: 500 },
      });
      events.push(...page.events);
      after = page.next;
    }
    return events;
  });
  return Promise.all(partitions);
}

/** Waits until the worker has come to the end of the log, and compares all that it did with the events. */
async function expectEachOnce(): Promise<Report> {
  const partitions = await feed();
  let found = await report();
  await until(async () => {
    found = await report();
    const positions = new Map(found.positions);
    return partitions.every(({ length }, partition) => (positions.get(partition) ?? 0) === length);
  });
  const tally = new Map<string, number>();
  const current = new Map<string, string>();
  for (const { type, partitionkey, data } of partitions.flat()) {
    const key = `${partitionkey} ${type.split('.')[1]}`;
    tally.set(key, (tally.get(key) ?? 0) + 1);
    const session = data.session as { sessionId: string; status: string } | undefined;
    if (session?.status === 'active') current.set(partitionkey, session.sessionId);
  }
  expect(new Map(found.tally.map(([scope, type, events]) => [`${scope} ${type}`, events]))).toEqual(tally);
  if (found.refusals.length === 0) {
    expect(new Map(found.workspaces.map(([scope, session]) => [scope, session]))).toEqual(current);
  }
  return found;
}

/** Starts sessions of new users until partitions 3 and 5 have so many events. */
async function write(most: number): Promise<void> {
  const owner = { environment: 'cloud-dev' };
  const lengths = new Map<number, number>();
  while (Math.min(lengths.get(3) ?? 0, lengths.get(5) ?? 0) < most) {
    const { position } = await ledger.call('startSession', { body: { userId: newUser(), owner } });
    lengths.set(position.partition, position.sequence);
  }
}

/** Waits until the condition holds; fails after 30 s. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within 30 s: ${holds}`);
    await pause(50);
  }
}

/** As a retention set by mistake would: the first records of partition 3 are gone. All were there before. */
async function deleteFirst(count: number): Promise<void> {
  const lengths = (await feed()).map(({ length }) => length);
  const admin = kafka.admin();
  await admin.connect();
  await until(async () =>
    (await admin.fetchTopicOffsets(topic)).every(
      ({ partition, high }) => Number(high) === lengths[partition],
    ),
  );
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 3, offset: String(count) }] });
  await admin.disconnect();
}

withPython(
  `killed again and again while events come: each has its effect exactly once${because}`,
  async () => {
    const load = startLoad(service.url, 2);
    for (let kills = 0; kills < 4; kills++) {
      const before = await handled();
      const { output, stop } = startWorker();
      await until(async () => (await handled()) > before);
      await stop('SIGKILL');
      expect(output.complained).toBe('');
    }
    await load.stop();
    const { output, stop } = startWorker();
    const { tally } = await expectEachOnce();
    expect(tally.length).toBeGreaterThan(4);
    expect(await stop('SIGTERM')).toBe(0);
    expect(output.said).toBe('following 16 partitions\n');
  },
  120_000,
);

withPython(
  `Kafka lacks events, and has others twice: the feed heals it${because}`,
  async () => {
    await write(4);
    await deleteFirst(2);
    // And what is last in partition 5 comes once more, as from a relay that was paused.
    const last = (await feed())[5]?.at(-1) as LedgerEvent;
    const producer = kafka.producer();
    await producer.connect();
    const record = { partition: 5, key: last.partitionkey, value: JSON.stringify(last) };
    const headers = { 'ledger-sequence': String(Number(last.sequence)) };
    await producer.send({
      topic,
      messages: [
        { ...record, headers },
        { ...record, value: 'of somebody else' },
      ],
    });
    await producer.disconnect();

    const { output, stop } = startWorker();
    await expectEachOnce();
    await write(8);
    await expectEachOnce();
    expect(output).toEqual({
      said: 'following 16 partitions\nevents are missing in partition 3: after 0 came 3; reading them from the feed\n',
      complained: '',
    });
    await stop('SIGTERM');
  },
  120_000,
);

withPython(
  `the ledger is down when its feed is needed: the worker waits for it${because}`,
  async () => {
    await write(2);
    await deleteFirst(1);
    await service.stop('SIGKILL');
    const { output, stop } = startWorker();
    await until(() => output.said.includes('trying again: no answer'));
    await service.restart();
    await expectEachOnce();
    await stop('SIGTERM');
  },
  90_000,
);

withPython(
  `work under an epoch that is older than what was there is refused${because}`,
  async () => {
    const userId = newUser();
    const owner = { environment: 'cloud-dev' };
    const start = async () => (await ledger.call('startSession', { body: { userId, owner } })).session;
    const first = await start();
    const one = startWorker();
    const [[scope, session] = []] = (await expectEachOnce()).workspaces;
    expect(session).toBe(first.sessionId);
    await one.stop('SIGTERM');

    const later = `import sqlite3; sqlite3.connect(${JSON.stringify(env.WORKER_DB)}).execute(
    "UPDATE workspaces SET epoch = 1000, session = 'of a later epoch'").connection.commit()`;
    await run(python, ['-c', later]);
    const { epoch } = await start();
    const two = startWorker();
    const { workspaces, refusals } = await expectEachOnce();
    expect(workspaces).toEqual([[scope, 'of a later epoch', 1_000]]);
    expect(refusals).toEqual([[scope, epoch]]);
    await two.stop('SIGTERM');
  },
  90_000,
);

withPython(
  `a ledger with access control is followed with the key that a file holds${because}`,
  async () => {
    const guarded = await startGuarded({ kafkaBrokers, topic: freshTopic() });
    const { secret } = await guarded.key({ ledgerWide: true, permissions: ['read', 'write', 'audit'] });
    const file = join(directory, 'key');
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
    ledger.close();
    ledger = new LedgerClient({ url: guarded.service.url, token: secret });
    // No Kafka has its events: all of them come from the feed, for which the key is needed.
    env = { ...env, LEDGER_URL: guarded.service.url, LEDGER_TOKEN_FILE: file };
    await write(2);
    const { output, stop } = startWorker();
    await expectEachOnce();
    expect(output.complained).toBe('');
    await stop('SIGTERM');
  },
  90_000,
);
