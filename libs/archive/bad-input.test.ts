import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { readLog } from '../log/testing/stored-log.js';
import { parseAge } from './age.js';
import { archive } from './archive.js';
import { archiveAll, archiveDirectory, filesIn, fill, placesIn } from './testing/archives.js';

const script = fileURLToPath(new URL('./testing/archiver-process.js', import.meta.url));

describe('an age', () => {
  test.each([
    ['30d', 2_592_000],
    ['96h', 345_600],
    ['12w', 7_257_600],
    ['36500d', 3_153_600_000],
  ])('%s', (text, seconds) => expect(parseAge(text)).toBe(seconds));

  test.each([
    '',
    '30',
    'd',
    '30 d',
    '-30d',
    '0d',
    '1.5d',
    '30D',
    '30m',
    '1e3d',
    '36501d',
    '9999999w',
    '٣d',
    ' 30d',
    '30d\n',
    'x'.repeat(1_000),
  ])('%j is none', (text) => {
    expect(() => parseAge(text)).toThrow(expect.objectContaining({ code: 'age' }));
  });
});

describe('archiving', () => {
  let ledger: TestLedger;
  let directory: Awaited<ReturnType<typeof archiveDirectory>>;
  let events: number;
  beforeEach(async () => {
    ledger = await openTestLedger(2);
    directory = await archiveDirectory();
    await fill(ledger.writer(), placesIn(ledger), 60);
    events = (await readLog(ledger.pool)).length;
  });
  afterEach(async () => {
    expect(await readLog(ledger.pool)).toHaveLength(events); // nothing has left
    expect(await brokenPromises(ledger.pool)).toEqual([]);
    await ledger.close();
    await directory.remove();
  });

  const go = (more: object) =>
    archive({ url: ledger.database.url, olderThan: 0, to: directory.path, withoutRelay: true, ...more });

  test.each([0, -1, Number.NaN, 259_199])(
    'what is older than %d s is refused: receipts still answer from it',
    async (olderThan) => {
      await expect(go({ olderThan })).rejects.toMatchObject({ code: 'age' });
    },
  );

  test('three days are enough, and take nothing of today', async () => {
    expect(await go({ olderThan: 259_200 })).toMatchObject({ files: 0, events: 0 });
  });

  test('a directory that is not there, is no directory, or takes nothing', async () => {
    const missing = join(directory.path, 'missing');
    await expect(archiveAll(ledger, missing)).rejects.toMatchObject({
      code: 'directory',
      message: `${missing} does not exist: make it, or mount it, and try again.`,
    });
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(archiveAll(ledger, file)).rejects.toMatchObject({
      code: 'directory',
      message: expect.stringContaining('is no directory'),
    });
    // Root may write to any directory of a disk, but not to this one.
    const readOnly = process.getuid?.() === 0 ? '/sys' : directory.path;
    if (readOnly !== '/sys') await chmod(readOnly, 0o555);
    const refused = archiveAll(ledger, readOnly);
    await expect(refused).rejects.toMatchObject({
      code: 'directory',
      message: expect.stringContaining(`${readOnly} cannot be used (`),
    });
    if (readOnly !== '/sys') await chmod(readOnly, 0o755);
  });

  test('a full disk: what was written of the file is removed again', async () => {
    // A file may have 512 bytes; the signal that comes with it is ignored, as a full disk sends none.
    const limited = `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`;
    const child = spawn('sh', ['-c', limited, process.execPath, script, ledger.database.url, directory.path]);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await once(child, 'close');
    expect(output).toMatch(/^failed directory .* cannot be used \(EFBIG/m);
    expect(await filesIn(directory.path)).toEqual([]);
  });

  test('another file under the name that is wanted, of other events or of none', async () => {
    let stored = '';
    const stop = archiveAll(ledger, directory.path, {
      onProgress: ({ stage }) => {
        if (stage === 'stored') throw new Error('stop');
      },
    });
    await expect(stop).rejects.toThrow('stop');
    [stored = ''] = await filesIn(directory.path);
    await writeFile(join(directory.path, stored), gzipSync('other'));
    await expect(archiveAll(ledger, directory.path)).rejects.toMatchObject({
      code: 'file',
      message: expect.stringContaining(stored),
    });
    const other = await openTestLedger(2);
    expect(await filesIn(directory.path)).toEqual([stored]);
    await other.close();
  });

  test('a log with an event that was changed behind its back: nothing is archived', async () => {
    await ledger.pool.query('alter table ledger.events disable trigger all');
    await ledger.pool.query(
      "update ledger.events set bytes = replace(convert_from(bytes, 'utf8'), 'cloud-dev', 'cloud-dex')::bytea where sequence = 3",
    );
    await expect(archiveAll(ledger, directory.path)).rejects.toMatchObject({
      code: 'log',
      message: expect.stringContaining('not those of its tree'),
    });
    expect((await ledger.pool.query('select 1 from ledger.archives')).rowCount).toBe(0);
    await ledger.pool.query(
      "update ledger.events set bytes = replace(convert_from(bytes, 'utf8'), 'cloud-dex', 'cloud-dev')::bytea where sequence = 3",
    );
  });

  test('a log with an event that is missing: nothing is archived', async () => {
    await ledger.pool.query('alter table ledger.events disable trigger all');
    await ledger.pool.query('create table kept as select * from ledger.events where sequence = 7');
    await ledger.pool.query('delete from ledger.events where sequence = 7');
    await expect(archiveAll(ledger, directory.path)).rejects.toMatchObject({
      code: 'log',
      message: expect.stringContaining('Event 7 of partition 0 is missing'),
    });
    await ledger.pool.query('insert into ledger.events select * from kept');
  });

  test('a database that is not there, or a login that may not archive', async () => {
    const away = new URL(ledger.database.url);
    away.port = '1';
    await expect(go({ url: away.href, olderThan: 259_200 })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(go({ role: 'nobody_at_all', olderThan: 259_200 })).rejects.toMatchObject({
      code: 'database',
      message: expect.stringContaining('grant it to the login'),
    });
  });
});
