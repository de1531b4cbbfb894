import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerWriter } from '#log';
import { archiveAll, archiveDirectory, filesIn } from '../archive/testing/archives.js';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { newPlace } from '../log/testing/submissions.js';
import { projectedUpTo } from './projected-up-to.js';
import { projectAll, startProjector } from './testing/projections.js';
import { type Difference, type VerifyProgress, verifyProjections } from './verify-projections.js';

// All in the table, or all but the newest event of each partition in archives.
describe.each(['in the table', 'archived'])('a log that is %s', (where) => {
  let ledger: TestLedger;
  let writer: LedgerWriter;
  let directory: Awaited<ReturnType<typeof archiveDirectory>>;
  beforeAll(async () => {
    ledger = await openTestLedger();
    directory = await archiveDirectory();
    writer = ledger.writer();
    await atRandom(40);
    await projectAll(ledger, 50);
    if (where === 'archived') await archiveAll(ledger, directory.path);
  });
  afterAll(async () => {
    await ledger.close();
    await directory.remove();
  });

  const places = () => Array.from({ length: 8 }, () => newPlace(ledger.partitions));
  const atRandom = (turns: number, stop = () => false) =>
    sendAtRandom({ writers: [writer], places: places(), callers: 8, turns, seed: 11, stop });

  async function verified(archives: string | undefined = directory.path) {
    const differences: Difference[] = [];
    const heard: VerifyProgress[] = [];
    await verifyProjections({
      pool: ledger.servicePool(1),
      archives,
      onDifference: (one) => void differences.push(one),
      onProgress: (progress) => void heard.push(progress),
    });
    return { differences, heard };
  }

  const other = '(select scope_id from ledger.scopes s where s.scope_id <> t.scope_id limit 1)';
  const one =
    '(partition, sequence) = (select partition, max(sequence) from ledger.projected_sessions group by 1 order by 2 limit 1)';

  const listed = 'session_id = (select min(session_id::text)::uuid from ledger.projected_current)';

  const sum =
    '(partition, of_id, currency, sequence) = (select partition, of_id, currency, sequence from ledger.projected_usage order by 2, 3, 4 limit 1)';

  test('what the projector made is what the log folds to', async () => {
    const { differences, heard } = await verified();
    expect(differences).toEqual([]);
    const { rows } = await ledger.pool.query(
      `select (select sum(sequence)::int from ledger.heads) as events,
            (select count(*)::int from ledger.projected_sessions) + (select count(*)::int from ledger.projected_transitions)
            + (select count(*)::int from ledger.projected_usage) as rows`,
    );
    expect(heard.at(-1)).toEqual({ ...rows[0], total: rows[0].events });
  });

  test.each([
    ['a session that is gone', `delete from ledger.projected_sessions where ${one}`, 'sessions missing'],
    [
      'another session',
      `update ledger.projected_sessions set session = replace(session, '"epoch":', '"epoch":1')  where ${one}`,
      'sessions wrong',
    ],
    [
      'another parent',
      `update ledger.projected_sessions set parent_id = session_id where ${one}`,
      'sessions wrong',
    ],
    [
      'another digest',
      `update ledger.projected_sessions set attributes_digest = 'x' where ${one}`,
      'sessions wrong',
    ],
    [
      'another version',
      `update ledger.projected_sessions set version_key = session_id where ${one}`,
      'sessions wrong',
    ],
    [
      'another beginning',
      `update ledger.projected_sessions set started = started - 1 where ${one}`,
      'sessions wrong',
    ],
    [
      'another scope',
      `update ledger.projected_sessions t set scope_id = ${other} where ${one}`,
      'sessions wrong',
    ],
    [
      'the event before',
      `update ledger.projected_sessions set sequence = sequence - 1 where ${one}`,
      'sessions stale',
    ],
    [
      'the event after',
      `update ledger.projected_sessions set sequence = sequence + 1 where ${one}`,
      'sessions wrong',
    ],
    [
      'an event that there is not',
      `update ledger.projected_sessions set sequence = 1000000 where ${one}`,
      'sessions wrong',
    ],
    [
      'a session too many',
      `insert into ledger.projected_sessions select (json_populate_record(t, json_build_object('session_id', gen_random_uuid()))).* from ledger.projected_sessions t where ${one}`,
      'sessions wrong',
    ],
    [
      'a transition that is gone',
      'delete from ledger.projected_transitions where sequence = 1 and partition = 0',
      'transitions missing',
    ],
    [
      'another transition',
      `update ledger.projected_transitions set transition = replace(transition, 'started', 'rotated') where sequence = 1 and partition = 0`,
      'transitions wrong',
    ],
    [
      'a later transition',
      'update ledger.projected_transitions set sequence = 3 where sequence = 1 and partition = 0',
      'transitions stale',
    ],
    [
      'a transition too many',
      `insert into ledger.projected_transitions select (json_populate_record(t, json_build_object('session_id', gen_random_uuid()))).* from ledger.projected_transitions t where sequence = 1 and partition = 0`,
      'transitions wrong',
    ],
    [
      'a current session that is not listed',
      `delete from ledger.projected_current where ${listed}`,
      'current missing',
    ],
    [
      'one that is listed as owned by another',
      `update ledger.projected_current set environment = 'x' where ${listed}`,
      'current wrong',
    ],
    [
      "one that is listed as another tenant's",
      `update ledger.projected_current set tenant = 'x' where ${listed}`,
      'current wrong',
    ],
    [
      'one that is listed, and has ended',
      `insert into ledger.projected_current select (json_populate_record(t, json_build_object('session_id', gen_random_uuid()))).* from ledger.projected_current t where ${listed}`,
      'current wrong',
    ],
    ['a sum that is gone', `delete from ledger.projected_usage where ${sum}`, 'usage missing'],
    [
      'a sum less one report',
      `update ledger.projected_usage set operations = operations - 1 where ${sum}`,
      'usage wrong',
    ],
    [
      'a sum less one token',
      `update ledger.projected_usage set input_tokens = input_tokens - 1 where ${sum}`,
      'usage wrong',
    ],
    [
      'a sum of another billionth',
      `update ledger.projected_usage set cost = cost + 0.000000001 where ${sum}`,
      'usage wrong',
    ],
    [
      'a sum of another scope',
      `update ledger.projected_usage set of_id = gen_random_uuid() where ${sum}`,
      'usage missing',
    ],
    [
      'a sum in another currency',
      `update ledger.projected_usage set currency = 'XXX' where ${sum}`,
      'usage missing',
    ],
    [
      'a sum too many',
      `insert into ledger.projected_usage select (json_populate_record(t, json_build_object('sequence', 1))).* from ledger.projected_usage t where ${sum}`,
      'usage wrong',
    ],
    [
      'a sum of an event that there is not',
      `insert into ledger.projected_usage select (json_populate_record(t, json_build_object('sequence', 1000000))).* from ledger.projected_usage t where ${sum}`,
      'usage wrong',
    ],
  ])('%s is found', async (_, change, found) => {
    const client = await ledger.pool.connect();
    try {
      await client.query('create table before_sessions as table ledger.projected_sessions');
      await client.query('create table before_transitions as table ledger.projected_transitions');
      await client.query('create table before_usage as table ledger.projected_usage');
      expect((await client.query(change)).rowCount).toBe(1);
      const kinds = (await verified()).differences.map(({ model, kind }) => `${model} ${kind}`);
      expect(kinds).toContain(found);
    } finally {
      await client.query(
        'truncate ledger.projected_sessions, ledger.projected_transitions, ledger.projected_usage, ledger.projected_current',
      );
      await client.query('insert into ledger.projected_sessions table before_sessions');
      await client.query('insert into ledger.projected_transitions table before_transitions');
      await client.query('insert into ledger.projected_usage table before_usage');
      await client.query('drop table before_sessions, before_transitions, before_usage');
      client.release();
    }
  });

  test('it may be asked for while commands come in, are projected and archived', async () => {
    await startProjector(ledger);
    let over = false;
    const sending = atRandom(2_000, () => over);
    for (let times = 0; times < 3; times++) {
      const verifying = verified();
      if (where === 'archived') {
        const projected = await projectedUpTo(ledger.pool);
        const notAfter = async (partition: number) => projected.get(partition);
        await archiveAll(ledger, directory.path, { notAfter });
      }
      expect((await verifying).differences).toEqual([]);
    }
    over = true;
    await sending;
  });

  if (where === 'archived') {
    test('without the files it says what is needed', async () => {
      const asked = verifyProjections({ pool: ledger.servicePool(1), onDifference: () => {} });
      await expect(asked).rejects.toMatchObject({
        code: 'directory',
        message: expect.stringMatching(
          /^The events of partition 0 up to \d+ are archived, in files such as \S+-0000-\S+: say in which directory they are \(--archives <dir>\)\.$/,
        ),
      });
    });

    test('a file that is not the one that was recorded ends it', async () => {
      const [file = ''] = await filesIn(directory.path);
      const path = join(directory.path, file);
      await rename(path, `${path}.kept`);
      await writeFile(path, 'other');
      await expect(verified()).rejects.toMatchObject({
        code: 'file',
        message: expect.stringContaining(file),
      });
      await rename(`${path}.kept`, path);
    });
  }
});
