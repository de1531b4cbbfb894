import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawnNode } from '../../test/support/process.js';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { readLog, type StoredEvent } from '../log/testing/stored-log.js';
import { replayFrom } from './replay.js';
import { archiveAll, archiveDirectory, filesIn, fill, placesIn } from './testing/archives.js';

const script = fileURLToPath(new URL('./testing/archiver-process.js', import.meta.url));

let ledger: TestLedger;
let before: StoredEvent[];
let directory: Awaited<ReturnType<typeof archiveDirectory>>;
beforeEach(async () => {
  ledger = await openTestLedger(2);
  await fill(ledger.writer(), placesIn(ledger), 60);
  before = await readLog(ledger.pool);
  directory = await archiveDirectory();
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool, directory.path)).toEqual([]);
  await ledger.close();
  await directory.remove();
});

const spawn = (...more: string[]) =>
  spawnNode(script, { args: [ledger.database.url, directory.path, ...more] });

/** Everything, from files and table, as one reads it: nothing may be lost, doubled or changed at any time. */
async function expectWhole(): Promise<void> {
  const whole: { partition: number; sequence: number; epoch: number; bytes: Buffer }[] = [];
  for (const partition of [0, 1]) {
    for await (const event of replayFrom(directory.path, ledger.pool, partition)) whole.push(event);
  }
  const wanted = before.map(({ partition, sequence, scopeKey, type, epoch, bytes }) => {
    return { partition, sequence, scopeKey, type, epoch, bytes };
  });
  expect(whole).toEqual(wanted);
}

const finished = (file: string) => file.endsWith('.gz');

describe.each([
  ['reading', 3],
  ['written', 1],
  ['verified', 1],
  ['stored', 1],
  ['recorded', 1],
  ['deleted', 1],
  ['deleted', 5],
])('kill -9 when %s for time %i', (stage, which) => {
  test('loses and doubles nothing, and the next run ends what it began', async () => {
    const { signal } = await spawn(stage, String(which)).exited;
    expect(signal).toBe('SIGKILL');
    await expectWhole();
    expect(await brokenPromises(ledger.pool, directory.path)).toEqual([]);
    await archiveAll(ledger, directory.path);
    await expectWhole();
    expect(await readLog(ledger.pool)).toHaveLength(2);
    const { rows } = await ledger.pool.query('select file from ledger.archives order by file');
    expect(await filesIn(directory.path)).toEqual(rows.map(({ file }) => file));
  });
});

describe.each([
  ['records a file', 'archived_leaves'],
  ['deletes events', 'events'],
])('kill -9 while Postgres %s, which then still happens', (_, table) => {
  test('loses and doubles nothing, and the next run ends what it began', async () => {
    const locker = await ledger.pool.connect();
    try {
      await locker.query('begin');
      await locker.query(`lock table ledger.${table} in share mode`); // read, but nothing is changed
      const archiver = spawn();
      await untilArchivers((waits) => waits.includes('Lock'));
      await archiver.kill('SIGKILL');
      await expectWhole();
    } finally {
      await locker.query('commit');
      locker.release();
    }
    await untilArchivers((waits) => waits.length === 0);
    const { rows } = await ledger.pool.query('select count(*)::int as files from ledger.archives');
    expect(rows[0].files).toBe(1);
    expect(await readLog(ledger.pool)).toHaveLength(before.length - (table === 'events' ? 15 : 0));
    await expectWhole();
    await archiveAll(ledger, directory.path);
    await expectWhole();
    expect(await readLog(ledger.pool)).toHaveLength(2);
  });
});

/** Waits until what the connections of archivers wait for is so. */
async function untilArchivers(isSo: (waits: (string | null)[]) => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; ; await sleep(10)) {
    const { rows } = await ledger.pool.query(
      `select a.wait_event_type as wait from pg_stat_activity a join pg_locks l using (pid)
        where l.locktype = 'advisory' and a.datname = current_database()`,
    );
    if (isSo(rows.map(({ wait }) => wait))) return;
    if (performance.now() > end) throw new Error('archivers do not come to it');
  }
}

test('kill -9 again and again, at another stage each time', async () => {
  const stages = ['written', 'stored', 'recorded', 'deleted', 'verified', 'stored', 'deleted', 'reading'];
  for (const stage of stages) {
    await spawn(stage).exited;
    await expectWhole();
  }
  await archiveAll(ledger, directory.path);
  expect(await readLog(ledger.pool)).toHaveLength(2);
});

test('a file that was stored but not recorded is made again, the same, also when more could go by now', async () => {
  await spawn('stored').exited;
  const [file = ''] = await filesIn(directory.path);
  const bytes = await readFile(join(directory.path, file));
  await archiveAll(ledger, directory.path, { limits: { segment: 100 } });
  expect(await readFile(join(directory.path, file))).toEqual(bytes);
  const { rows } = await ledger.pool.query('select file from ledger.archives order by file');
  expect(rows[0].file).toBe(file);
  await expectWhole();
});

test('of a file that was stored but not recorded no more goes than may go by now', async () => {
  await spawn('stored').exited;
  const notAfter = async () => 20;
  await archiveAll(ledger, directory.path, { notAfter });
  const { rows } = await ledger.pool.query(
    'select max(last)::int as last from ledger.archives group by partition',
  );
  expect(rows).toEqual([{ last: 20 }, { last: 20 }]);
  await expectWhole();
  await archiveAll(ledger, directory.path); // what may go later goes then
  await expectWhole();
  expect(await readLog(ledger.pool)).toHaveLength(2);
});

describe('a file that was recorded, when its events are still there', () => {
  let path: string;
  let copy: string;
  beforeEach(async () => {
    await spawn('deleted').exited; // some of its events are gone by now
    const file = (await filesIn(directory.path)).find(finished) ?? '';
    path = join(directory.path, file);
    copy = `${path}.copy`;
    await copyFile(path, copy);
  });
  afterEach(async () => {
    await copyFile(copy, path);
    await rm(copy);
    await archiveAll(ledger, directory.path);
    await expectWhole();
    expect(await readLog(ledger.pool)).toHaveLength(2);
  });

  test('and is gone: nothing more is deleted until it is back', async () => {
    await rm(path);
    const kept = await readLog(ledger.pool);
    await expect(archiveAll(ledger, directory.path)).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining(`${path} cannot be read`),
    });
    expect(await readLog(ledger.pool)).toEqual(kept);
  });

  test('and has changed: nothing more is deleted until it is as it was', async () => {
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    const kept = await readLog(ledger.pool);
    await expect(archiveAll(ledger, directory.path)).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining('is not the file that was recorded'),
    });
    expect(await readLog(ledger.pool)).toEqual(kept);
  });
});

test('of two archivers at once one works, and the other says so', async () => {
  const told: string[] = [];
  let other: Promise<unknown> | undefined;
  const onProgress = ({ stage }: { stage: string }) => {
    if (stage === 'written') {
      other ??= archiveAll(ledger, directory.path).catch(({ code, message }) => told.push(code, message));
    }
  };
  await archiveAll(ledger, directory.path, { onProgress });
  await other;
  expect(told).toEqual(['busy', 'Another archiver works on this ledger: let it finish.']);
  await expectWhole();
  expect(await archiveAll(ledger, directory.path)).toMatchObject({ files: 0 });
});

test('archivers that race for the lock end in one archive', async () => {
  const runs = Array.from({ length: 4 }, () => spawn());
  await Promise.all(runs.map(({ exited }) => exited));
  const ends = runs.map(({ lines }) => lines.at(-1)?.split(' ').slice(0, 2).join(' ') ?? '');
  expect(ends.filter((end) => !end.startsWith('done') && end !== 'failed busy')).toEqual([]);
  expect(ends.some((end) => end.startsWith('done'))).toBe(true);
  await expectWhole();
  expect(await readLog(ledger.pool)).toHaveLength(2);
});

test('an archiver that loses its connection stops, and has lost nothing', async () => {
  const archiving = archiveAll(ledger, directory.path, {
    onProgress: ({ stage }) => {
      if (stage === 'verified') kill ??= ledger.pool.query(terminate);
    },
  });
  let kill: Promise<unknown> | undefined;
  const terminate = `select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
  await expect(archiving).rejects.toMatchObject({ code: 'unavailable' });
  await kill;
  await expectWhole();
  await archiveAll(ledger, directory.path);
  await expectWhole();
});
