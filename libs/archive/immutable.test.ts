import type pg from 'pg';
import { openPool } from '#postgres';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { archiveAll, archiveDirectory, fill, placesIn } from './testing/archives.js';

// Partition 0: events 1 to 20 are recorded as archived but still in the table; partition 1 has no archive.
let ledger: TestLedger;
let archivist: pg.Pool;
let directory: Awaited<ReturnType<typeof archiveDirectory>>;
beforeAll(async () => {
  ledger = await openTestLedger(2);
  directory = await archiveDirectory();
  await fill(ledger.writer(), placesIn(ledger), 60);
  const notAfter = async (partition: number) => (partition === 0 ? 20 : 0);
  const stop = (stage: string) => {
    if (stage === 'recorded') throw new Error('stop here');
  };
  const stopped = archiveAll(ledger, directory.path, { notAfter, onProgress: ({ stage }) => stop(stage) });
  await expect(stopped).rejects.toThrow('stop here');
  archivist = openPool({ url: ledger.database.url, role: archivistOf(ledger) }, 1);
});
afterAll(async () => {
  expect(await brokenPromises(ledger.pool, directory.path)).toEqual([]);
  await archivist.end();
  await ledger.close();
  await directory.remove();
});

/** As which events may be moved out of it. */
function archivistOf({ role }: TestLedger): string {
  return role.replace('session_ledger', 'session_ledger_archivist');
}

/** Runs statements in a transaction that is undone; returns how many rows the last one touched. */
async function trying(pool: pg.Pool, ...statements: string[]): Promise<number | null> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    let count: number | null = 0;
    for (const statement of statements) count = (await client.query(statement)).rowCount;
    return count;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const remove = (partition: number, first: number, last: number) =>
  `delete from ledger.events where partition = ${partition} and sequence between ${first} and ${last}`;
const record = (partition: number, first: number, last: number) =>
  `insert into ledger.archives (partition, first, last, first_at, last_at, file, bytes, checksum, frontier)
   values (${partition}, ${first}, ${last}, now(), now(), 'made up', 1, sha256('made up'), '')`;
const leaves = (partition: number, first: number, last: number) =>
  `insert into ledger.archived_leaves (partition, first, hashes)
   select ${partition}, ${first}, string_agg(sha256('\\x00'::bytea || bytes), '' order by sequence)
     from ledger.events where partition = ${partition} and sequence between ${first} and ${last}`;

test('the archivist deletes what is archived, from the oldest on', async () => {
  expect(await trying(archivist, remove(0, 1, 20))).toBe(20);
  expect(await trying(archivist, remove(0, 1, 1))).toBe(1);
  expect(await trying(archivist, remove(0, 1, 5), remove(0, 6, 20))).toBe(15);
});

test.each([
  ['above what is archived', remove(0, 1, 21)],
  ['of a partition that has no archive', remove(1, 1, 1)],
  ['of all partitions', 'delete from ledger.events'],
])('the archivist deletes nothing %s', async (_, statement) => {
  await expect(trying(archivist, statement)).rejects.toThrow('only archived events can be deleted');
});

test.each([
  ['out of the middle', remove(0, 2, 20)],
  ['that leaves an older one', 'delete from ledger.events where partition = 0 and sequence in (1, 3)'],
])('the archivist deletes nothing %s', async (_, statement) => {
  await expect(trying(archivist, statement)).rejects.toThrow('events are deleted from the oldest on');
});

describe('a record that somebody made up', () => {
  test('deletes nothing without leaves', async () => {
    const statements = [record(1, 1, 10), remove(1, 1, 10)];
    await expect(trying(archivist, ...statements)).rejects.toThrow('only archived events can be deleted');
  });

  test('deletes nothing with the leaves of other events, or too few', async () => {
    for (const wrong of [leaves(0, 1, 10).replace('select 0', 'select 1'), leaves(1, 1, 9)]) {
      const statements = [record(1, 1, 10), wrong, remove(1, 1, 10)];
      await expect(trying(archivist, ...statements)).rejects.toThrow('only archived events can be deleted');
    }
    expect(await trying(archivist, record(1, 1, 10), leaves(1, 1, 10), remove(1, 1, 10))).toBe(10);
  });

  test('deletes what several rows of leaves have, each hash at its place', async () => {
    const removed = (...rows: string[]) => trying(archivist, record(1, 1, 10), ...rows, remove(1, 1, 10));
    const placed = (at: number, first: number, last: number) =>
      leaves(1, first, last).replace(`select 1, ${first},`, `select 1, ${at},`);
    expect(await removed(leaves(1, 1, 4), leaves(1, 5, 5), leaves(1, 6, 10))).toBe(10);
    expect(await removed(leaves(1, 1, 10), leaves(1, 7, 12))).toBe(10);
    for (const wrong of [
      [leaves(1, 1, 4), leaves(1, 6, 10)], // a hole
      [leaves(1, 1, 4), placed(6, 5, 10)], // all hashes, not at their places
      [leaves(1, 1, 10), placed(7, 8, 12)], // another hash where the next row begins
      [leaves(1, 2, 10)],
    ]) {
      await expect(removed(...wrong)).rejects.toThrow('only archived events can be deleted');
    }
  });

  test.each([
    ['leaves a hole', record(0, 22, 30), 'the next archive of partition 0 begins at 21'],
    ['begins too early', record(0, 1, 30), 'the next archive of partition 0 begins at 21'],
    ['begins late', record(1, 2, 30), 'the next archive of partition 1 begins at 1'],
    ['takes the newest event', record(1, 1, 99_999), 'the newest event of partition 1 stays'],
    ['is of no partition', record(2, 1, 2), 'the newest event of partition 2 stays'],
  ])('is refused when it %s', async (_, statement, message) => {
    await expect(trying(archivist, statement)).rejects.toThrow(message);
  });
});

test.each([
  "update ledger.events set bytes = 'other' where partition = 0 and sequence = 1",
  'truncate ledger.events',
  'update ledger.archives set last = 40',
  'delete from ledger.archives',
  "update ledger.archived_leaves set hashes = sha256('other')",
  'delete from ledger.archived_leaves',
  'update ledger.heads set sequence = 1000',
  'insert into ledger.events select * from ledger.events',
  'select handle_key from ledger.ledger',
  'select 1 from ledger.details',
  'alter table ledger.events disable trigger all',
  'create function ledger.sha256(bytea) returns bytea language sql as $$ select $1 $$',
])('the archivist may not %s', async (statement) => {
  await expect(trying(archivist, statement)).rejects.toMatchObject({ code: '42501' });
});

describe('the owner', () => {
  test.each([remove(0, 1, 20), remove(0, 1, 1), 'truncate ledger.events'])(
    'may not %s',
    async (statement) => {
      await expect(trying(ledger.pool, statement)).rejects.toThrow('events can only be inserted');
    },
  );

  test.each([
    ['update ledger.archives set last = 40', 'archives can only be inserted'],
    ['delete from ledger.archives', 'archives can only be inserted'],
    ['truncate ledger.archives', 'archives can only be inserted'],
    ['update ledger.archived_leaves set first = 2', 'archived_leaves can only be inserted'],
    ['delete from ledger.archived_leaves', 'archived_leaves can only be inserted'],
    ['truncate ledger.archived_leaves', 'archived_leaves can only be inserted'],
  ])('may not %s', async (statement, message) => {
    await expect(trying(ledger.pool, statement)).rejects.toThrow(message);
  });

  test('acting as the archivist may do what that one may, and no more', async () => {
    const acting = `set local role ${archivistOf(ledger)}`;
    expect(await trying(ledger.pool, acting, remove(0, 1, 20))).toBe(20);
    await expect(trying(ledger.pool, acting, remove(0, 1, 21))).rejects.toThrow('only archived events');
  });
});

test.each([remove(0, 1, 20), record(0, 21, 30), leaves(0, 21, 30), 'set role <archivist>'])(
  'the service may not %s',
  async (statement) => {
    // As a login of its own has it: not this server's superuser, who may become anybody.
    const service = [
      `create role test_service nologin in role ${ledger.role}`,
      'set local session authorization test_service',
    ];
    const asked = statement.replace('<archivist>', archivistOf(ledger));
    await expect(trying(ledger.pool, ...service, asked)).rejects.toMatchObject({ code: '42501' });
  },
);
