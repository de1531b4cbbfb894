import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openPool } from '#postgres';
import { createDatabase } from '../../test/support/database.js';
import { startProxy } from '../../test/support/proxy.js';
import { identify, migrate } from './index.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { describeSchema } from './testing/schema.js';
import { debug, end, newPlace, sessionOf, start } from './testing/submissions.js';

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openTestLedger();
  await ledger.writer().submit(start(newPlace(ledger.partitions)));
});
afterAll(() => ledger.close());

test('the schema is the one in generated/schema.txt, which `npm run generate -- --schema` writes', async () => {
  const schema = await describeSchema(ledger.pool);
  expect(schema).toBe(await readFile(new URL('./generated/schema.txt', import.meta.url), 'utf8'));
});

describe('events can only be inserted', () => {
  const changes = [
    "update ledger.events set bytes = 'other'",
    'update ledger.events set sequence = sequence + 1',
    'delete from ledger.events',
    'truncate ledger.events',
  ];

  test.each(changes)('%s: refused for the service, which has no right to', async (change) => {
    await expect(ledger.servicePool(1).query(change)).rejects.toMatchObject({ code: '42501' });
  });

  test.each(changes)('%s: refused for their owner, by a trigger', async (change) => {
    await expect(ledger.pool.query(change)).rejects.toThrow('events can only be inserted');
  });

  test.each([
    'drop table ledger.events',
    'alter table ledger.events disable trigger all',
    'update ledger.details set body = body',
    'delete from ledger.scopes',
    'update ledger.receipts set at = at',
    'update ledger.ledger set partitions = 5',
    'insert into ledger.heads values (9)',
    'create table ledger.another (n int)',
    'insert into ledger.migrations (number, name) values (9, $$none$$)',
  ])('the service may not %s', async (statement) => {
    await expect(ledger.servicePool(1).query(statement)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('migrations', () => {
  const databases: (() => Promise<void>)[] = [];
  const emptyDatabase = async () => {
    const { url, drop } = await createDatabase();
    databases.push(drop);
    return url;
  };
  afterAll(() => Promise.all(databases.map((drop) => drop())));

  /** Runs with a connection of its own. */
  const execute = async (url: string, statement: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  };

  test('run twice do nothing, and an existing ledger keeps its identity and its partitions', async () => {
    const url = await emptyDatabase();
    expect(await migrate({ url, partitions: 3 })).not.toEqual([]);
    const before = await execute(url, 'select * from ledger.ledger, ledger.heads');
    expect(before).toHaveLength(3);
    expect(await migrate({ url, partitions: 16 })).toEqual([]);
    expect(await execute(url, 'select * from ledger.ledger, ledger.heads')).toEqual(before);
  });

  test('run by several at once are applied by one', async () => {
    const url = await emptyDatabase();
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate({ url, partitions: 3 })));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await execute(url, 'select partition from ledger.heads')).toHaveLength(3);
  });

  test('that fail leave nothing behind', async () => {
    const url = await emptyDatabase();
    await expect(migrate({ url, partitions: 0 })).rejects.toThrow('partitions_check');
    expect(await execute(url, "select 1 from pg_namespace where nspname = 'ledger'")).toEqual([]);
  });

  test('whose connection is lost fail with an error', async () => {
    const url = await emptyDatabase();
    const { hostname: host, port } = new URL(url);
    const proxy = await startProxy({ target: { host, port: Number(port) } });
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query("select pg_advisory_lock(hashtext('session-ledger migrations'))");
      const waiting = migrate({ url: proxy.reroute(url), partitions: 4 });
      await Promise.race([waiting, sleep(300)]);
      proxy.cut();
      await expect(waiting).rejects.toMatchObject({ code: 'ECONNRESET' });
    } finally {
      await holder.end();
      await proxy.close();
    }
  });

  test('of a newer version are refused by those who migrate and those who start', async () => {
    const url = await emptyDatabase();
    await migrate({ url, partitions: 3 });
    await execute(url, "insert into ledger.migrations (number, name) values (999, 'of the future')");
    const message = expect.stringMatching(
      /^The schema is at 999, this version knows \d+: run a newer version\.$/,
    );
    await expect(migrate({ url, partitions: 3 })).rejects.toMatchObject({ code: 'schema', message });
    const pool = openPool({ url }, 1);
    await expect(identify(pool)).rejects.toMatchObject({ code: 'schema', message });
    await pool.end();
  });

  test('name the sessions of stops that were refused before they ran', async () => {
    const replica = await openTestLedger();
    const writer = replica.writer();
    const session = sessionOf(await writer.submit(start(newPlace(replica.partitions))));
    await writer.submit(end(session, { origin: debug }));
    await replica.pool.query('drop table ledger.jobs');
    await replica.pool.query('alter table ledger.ignored_stops drop column session_id');
    const migration = new URL('./sql/migrations/004_jobs.sql', import.meta.url);
    await replica.pool.query(await readFile(migration, 'utf8'));
    const { rows } = await replica.pool.query('select session_id from ledger.ignored_stops');
    expect(rows).toEqual([{ session_id: session.sessionId }]);
    await replica.close();
  });

  test('that have not run yet are asked for', async () => {
    const pool = openPool({ url: await emptyDatabase() }, 1);
    await expect(identify(pool)).rejects.toMatchObject({ code: 'schema', message: /migrate it/ });
    await pool.query('create schema ledger');
    await pool.query('create table ledger.migrations (number int)');
    await expect(identify(pool)).rejects.toMatchObject({ code: 'schema', message: /migrate it/ });
    await pool.end();
  });
});

describe('the types in which a batch is written', () => {
  let other: TestLedger;
  beforeAll(async () => {
    other = await openTestLedger();
  });
  afterAll(() => other.close());

  test('may have their attributes in another order', async () => {
    await other.pool.query(
      'alter type ledger.event_row drop attribute version, add attribute version bigint',
    );
    await other.pool.query(
      'alter type ledger.head_row drop attribute sequence, add attribute sequence bigint',
    );
    const place = newPlace(other.partitions);
    const writer = other.writer();
    const session = sessionOf(await writer.submit(start(place)));
    await writer.submit(end(session));
    const { rows } = await other.pool.query(
      'select sequence, version, epoch from ledger.events order by sequence',
    );
    expect(rows).toEqual([
      { sequence: 1, version: 1, epoch: 1 },
      { sequence: 2, version: 2, epoch: 2 },
    ]);
  });

  test('are refused at start when one of them has other attributes', async () => {
    await other.pool.query('alter type ledger.scope_row rename attribute revision to changes');
    const reads = identify(other.pool);
    await expect(reads).rejects.toMatchObject({ name: 'LogError', code: 'schema' });
    await expect(reads).rejects.toThrow('ledger.scope_row.changes is not known');
  });
});
