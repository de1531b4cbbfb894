import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openPool } from '#postgres';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { readArchive, verifyArchive } from './read-archive.js';
import { replayFrom } from './replay.js';
import { archiveAll, archiveDirectory, filesIn, fill, placesIn } from './testing/archives.js';

// One partition: files of the events 1 to 40, 41 to 80 and 81 to 99; 100 and on are in the table.
let ledger: TestLedger;
let directory: Awaited<ReturnType<typeof archiveDirectory>>;
let path: string;
let bytes: Buffer;
beforeAll(async () => {
  ledger = await openTestLedger(1);
  directory = await archiveDirectory();
  await fill(ledger.writer(), placesIn(ledger), 60);
  await archiveAll(ledger, directory.path, { notAfter: async () => 99 });
  const files = await filesIn(directory.path);
  expect(files).toHaveLength(3);
  path = join(directory.path, files[1]!);
  bytes = await readFile(path);
});
afterEach(() => writeFile(path, bytes));
afterAll(async () => {
  await ledger.close();
  await directory.remove();
});

async function readUp(): Promise<{ sequences: number[]; failed: Error | undefined }> {
  const sequences: number[] = [];
  try {
    for await (const { sequence } of readArchive(path)) sequences.push(sequence);
  } catch (failed) {
    return { sequences, failed: failed as Error };
  }
  return { sequences, failed: undefined };
}

/** Changes the lines inside, and compresses them again as if nothing had been. */
async function forge(change: (lines: string[]) => string[]): Promise<void> {
  const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
  await writeFile(path, gzipSync(`${change(lines).join('\n')}\n`));
}

const ascending = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a whole file gives its events and its seal', async () => {
  expect(await readUp()).toEqual({ sequences: ascending(41, 80), failed: undefined });
  expect(await verifyArchive(path)).toMatchObject({
    header: { format: 'session-ledger.archive.v1', partition: 0, first: 41, last: 80 },
    bytes: bytes.length,
  });
});

test('a reader that has enough goes away', async () => {
  for await (const { sequence } of readArchive(path)) if (sequence === 45) break;
});

describe('a file that is not as it was written says where, and gives nothing from there on', () => {
  test.each<[string, (lines: string[]) => string[], string, number]>([
    [
      'an event was changed',
      (lines) => lines.with(9, lines[9]!.replace('cloud-dev', 'cloud-dex')),
      'line 10, sequence 49: the event is not the one that was hashed',
      8,
    ],
    [
      'a hash was changed',
      (lines) => lines.with(9, lines[9]!.replace(/"leaf":"./, '"leaf":"x')),
      'line 10, sequence 49: this is not the next event',
      8,
    ],
    [
      'an event is missing',
      (lines) => lines.toSpliced(9, 1),
      'line 10, sequence 49: this is not the next event',
      8,
    ],
    [
      'an event is doubled',
      (lines) => lines.toSpliced(9, 0, lines[9]!),
      'line 11, sequence 50: this is not the next event',
      9,
    ],
    [
      'two events are swapped',
      (lines) => lines.with(9, lines[10]!).with(10, lines[9]!),
      'line 10, sequence 49: this is not the next event',
      8,
    ],
    [
      'an epoch was changed',
      (lines) => lines.with(9, lines[9]!.replace(/"epoch":\d+/, '"epoch":99')),
      'line 42: the digest of the lines before is another one',
      40,
    ],
    [
      'the trailer is missing',
      (lines) => lines.slice(0, -1),
      'line 41: the file ends here, before its end',
      40,
    ],
    [
      'the end is missing',
      (lines) => lines.slice(0, 20),
      'line 20, sequence 60: the file ends here, before its end',
      19,
    ],
    ['something was added', (lines) => [...lines, lines[1]!], 'line 43: something comes after the end', 40],
    [
      'the header is another one',
      (lines) => lines.with(0, '{"format":"other"}'),
      'line 1: this is no archive of a session ledger',
      0,
    ],
    ['it is empty', () => [''], 'line 1: this is no archive of a session ledger', 0],
  ])('%s', async (_, change, message, good) => {
    await forge(change);
    const { sequences, failed } = await readUp();
    expect(failed).toMatchObject({ code: 'file' });
    expect(failed?.message).toContain(`ndjson.gz, ${message}`);
    expect(sequences).toEqual(ascending(41, 40 + good));
  });

  test('a byte of the file was changed', async () => {
    const changed = Buffer.from(bytes);
    changed[bytes.length >> 1]! ^= 0x10;
    await writeFile(path, changed);
    const { failed } = await readUp();
    expect(failed).toMatchObject({ code: 'file', message: expect.stringMatching(/ndjson\.gz, line \d+/) });
  });

  test('it was cut off', async () => {
    await truncate(path, bytes.length - 100);
    expect((await readUp()).failed).toMatchObject({
      code: 'file',
      message: expect.stringMatching(/line \d+/),
    });
  });

  test('it is no gzip, a directory, or not there', async () => {
    await writeFile(path, 'hello');
    expect((await readUp()).failed).toMatchObject({
      code: 'file',
      message: expect.stringContaining('line 1: it cannot be read'),
    });
    for (const other of [directory.path, `${path}.not`]) {
      await expect(verifyArchive(other)).rejects.toMatchObject({ code: 'file' });
    }
  });

  test('a line has no end', async () => {
    await writeFile(path, gzipSync('x'.repeat(20 << 20)));
    expect((await readUp()).failed).toMatchObject({
      code: 'file',
      message: expect.stringContaining('a line is over'),
    });
  });
});

describe('the history from files and table', () => {
  const replayed = async (after?: number) => {
    const sequences: number[] = [];
    for await (const event of replayFrom(directory.path, ledger.pool, 0, after))
      sequences.push(event.sequence);
    return sequences;
  };
  const head = async () => (await ledger.pool.query('select sequence from ledger.heads')).rows[0].sequence;

  test.each([0, 1, 39, 40, 41, 98, 99, 100])('is whole after %i', async (after) => {
    expect(await replayed(after)).toEqual(ascending(after + 1, await head()));
  });

  test('is empty at its end', async () => {
    expect(await replayed(await head())).toEqual([]);
  });

  test('is told as the feed tells it', async () => {
    const tail = await ledger.tail();
    const fromTable = await tail.read(0, 99, 1);
    const [first] = fromTable;
    for await (const event of replayFrom(directory.path, ledger.pool, 0)) {
      expect(Object.keys(event).sort()).toEqual(Object.keys(first!).sort());
      expect(event).toMatchObject({
        partition: 0,
        type: expect.stringMatching(/^Session[A-Z]/),
        scopeKey: expect.stringContaining('acme/'),
      });
      if (event.sequence === 100) expect(event).toEqual(first);
    }
  });

  test('stops at a file that is another one, before it gives anything of it', async () => {
    await appendFile(path, 'x');
    const sequences: number[] = [];
    const reading = async () => {
      for await (const { sequence } of replayFrom(directory.path, ledger.pool, 0)) sequences.push(sequence);
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining('is not the file that was recorded'),
    });
    expect(sequences).toEqual(ascending(1, 40));
    await rm(path);
    await expect(replayed(60)).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining('cannot be read'),
    });
  });

  test.each([
    ['in the middle', 105],
    ['at the end', 110],
  ])('stops at an event that is nowhere, %s', async (_, first) => {
    await ledger.pool.query('alter table ledger.events disable trigger all');
    await ledger.pool.query(`create table kept as select * from ledger.events where sequence >= ${first}`);
    if (first === 105) await ledger.pool.query('delete from kept where sequence > 105');
    await ledger.pool.query('delete from ledger.events where sequence in (select sequence from kept)');
    const reading = replayed(first === 105 ? first - 1 : 99);
    await expect(reading).rejects.toMatchObject({
      code: 'log',
      message: expect.stringContaining(`Event ${first} of partition 0 is missing`),
    });
    await ledger.pool.query('insert into ledger.events select * from kept');
    await ledger.pool.query('drop table kept');
    await ledger.pool.query('alter table ledger.events enable trigger all');
  });

  test('needs no more than the service may read', async () => {
    const pool = openPool({ url: ledger.database.url, role: ledger.role }, 1);
    let count = 0;
    for await (const _ of replayFrom(directory.path, pool, 0)) count += 1;
    expect(count).toBe(await head());
    await pool.end();
  });
});
