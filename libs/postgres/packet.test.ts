import type pg from 'pg';
import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import { startProxy } from '../../test/support/proxy.js';
import { type DatabaseOptions, openClient, query, rowOf } from './database.js';
import { type Bound, begin, commit, send, sendOn } from './packet.js';
import { openPool } from './share.js';

let database: TestDatabase;
let client: pg.Client;
const more: pg.Client[] = [];
const open = async (options: Partial<DatabaseOptions> = {}) => {
  const opened = await openClient({ url: database.url, ...options });
  more.push(opened);
  return opened;
};
beforeAll(async () => {
  database = await createDatabase();
});
beforeEach(async () => {
  client = await open();
  await client.query('drop table if exists kept; create table kept (id int primary key)');
});
afterEach(async () => {
  await Promise.all(more.splice(0).map((each) => each.end().catch(() => {})));
});
afterAll(() => database.drop());

const keep = (id: unknown): Bound<never> => ({
  name: 'keep',
  text: 'insert into kept values ($1)',
  values: [id as number],
});
const kept = { name: 'kept', text: 'select id from kept order by id' };
const divide = (by: number): Bound<{ result: number }> & { values: number[] } => ({
  name: 'divide',
  text: 'select 6 / $1::int as result',
  values: [by],
});
const known = async () => (await client.query(kept)).rows.map(({ id }) => id);

test('answers in order, each statement with its own rows and what it did; undefined where nothing was needed', async () => {
  for (let again = 0; again < 3; again++) {
    const answers = await send(client, [
      begin,
      keep(again),
      undefined,
      divide(2),
      kept,
      keep(10 + again),
      commit,
    ]);
    expect(answers).toEqual([
      { command: 'BEGIN', rows: [] },
      { command: 'INSERT', rows: [] },
      undefined,
      { command: 'SELECT', rows: [{ result: 3 }] },
      { command: 'SELECT', rows: expect.arrayContaining([{ id: again }]) },
      { command: 'INSERT', rows: [] },
      { command: 'COMMIT', rows: [] },
    ]);
  }
  expect(await known()).toEqual([0, 1, 2, 10, 11, 12]);
  expect(await send(client, [])).toEqual([]);
});

test('values and rows as node-postgres has them', async () => {
  const text = `select $1::text as text, $2::int8 as count, $3::bytea as bytes, $4::int8[] as many, $5::text as nothing,
                       $6::text as missing, now() as at, true as fine, null::json as json, '{"a":[1]}'::json as parsed`;
  const values = ['ä\'"\\ 😀', 2 ** 53 - 1, Buffer.from([0, 255, 39, 92]), '{1,2}', null, undefined];
  const theirs = await client.query({ text, values });
  const ask: Bound<Record<string, unknown>> = { name: 'values', text, values };
  const [first] = await send(client, [ask]);
  const [second] = await send(client, [
    { name: 'values', text, values: ['', 0, Buffer.alloc(0), '{}', null, null] },
  ]);
  const { at, ...row } = rowOf(first);
  expect(at).toBeInstanceOf(Date);
  expect({ ...row, at: undefined }).toEqual({ ...theirs.rows[0], at: undefined });
  expect(row).toMatchObject({
    text: values[0],
    count: 2 ** 53 - 1,
    bytes: values[2],
    nothing: null,
    missing: null,
  });
  expect(second.rows[0]).toMatchObject({ text: '', count: 0, bytes: Buffer.alloc(0), many: [] });
});

test('one statement several times in a packet, also one that was never sent before', async () => {
  const answers = await send(client, [divide(1), divide(2), keep(1), keep(2), divide(3)]);
  expect(answers.map(({ rows }) => rows[0]?.result)).toEqual([6, 3, undefined, undefined, 2]);
  expect(await known()).toEqual([1, 2]);
});

test('a statement that node-postgres has prepared, and the other way round', async () => {
  expect((await query(client, divide(2), [2])).rows).toEqual([{ result: 3 }]);
  expect((await send(client, [divide(3)]))[0].rows).toEqual([{ result: 2 }]);
  await send(client, [keep(1), kept]);
  expect((await client.query(kept)).rows).toEqual([{ id: 1 }]);
  await query(client, keep(2), [2]);
  expect(await known()).toEqual([1, 2]);
});

test('a statement is prepared and described once a connection', async () => {
  const { connection } = client as unknown as {
    connection: Record<'parse' | 'describe', (what: unknown) => void>;
  };
  const sent: string[] = [];
  for (const message of ['parse', 'describe'] as const) {
    const send = connection[message].bind(connection);
    connection[message] = (what) => {
      sent.push(message);
      send(what);
    };
  }
  for (let again = 0; again < 3; again++) await send(client, [keep(again), kept]);
  expect(sent).toEqual(['parse', 'describe', 'parse', 'describe']);
});

describe('after a statement that fails, no further one runs', () => {
  test.each([
    ['as it is executed', () => divide(0), '22012'],
    ['as its values are taken', () => keep('x'), '22P02'],
    ['as it is prepared', (): Bound => ({ name: 'bad', text: 'selec' }), '42601'],
    ['as it is planned', (): Bound => ({ name: 'nowhere', text: 'select * from nowhere' }), '42P01'],
  ])('%s', async (_when, failing, code) => {
    // Twice, since what was prepared on the way has to be known the second time, and nothing else.
    for (let again = 0; again < 2; again++) {
      const sent = send(client, [begin, keep(1), failing(), keep(2), kept, commit]);
      await expect(sent).rejects.toMatchObject({ code, severity: 'ERROR' });
      await client.query('rollback');
      expect(await known()).toEqual([]);
    }
    const [, one] = await send(client, [keep(1), divide(6), kept]);
    expect(one.rows).toEqual([{ result: 1 }]);
    expect(await known()).toEqual([1]);
  });

  test('and a commit among them does not happen', async () => {
    await expect(send(client, [begin, keep(1), commit, begin, keep(1), commit])).rejects.toMatchObject({
      code: '23505',
    });
    await client.query('rollback');
    expect(await known()).toEqual([1]);
  });
});

test('a connection that is lost, hangs or was closed is told', async () => {
  const own = await open();
  const { rows } = await own.query('select pg_backend_pid() as pid');
  const slow = { name: 'slow', text: 'select pg_sleep(10)' };
  const sent = send(own, [begin, slow]);
  await client.query('select pg_terminate_backend($1)', [rows[0].pid]);
  await expect(sent).rejects.toMatchObject({ code: '57P01' });
  await expect(send(own, [begin])).rejects.toThrow();

  const limited = await open({ statementMs: 200 });
  await expect(send(limited, [begin, slow])).rejects.toMatchObject({ code: '57014' });

  const { hostname: host, port } = new URL(database.url);
  const proxy = await startProxy({ target: { host, port: Number(port) } });
  const silent = await open({ url: proxy.reroute(database.url), statementMs: 100 });
  await send(silent, [begin, commit]);
  proxy.swallowReplies();
  await expect(send(silent, [divide(2)])).rejects.toThrow('timeout');
  const since = performance.now();
  await expect(silent.query('rollback')).rejects.toThrow();
  await silent.end();
  expect(performance.now() - since).toBeLessThan(500); // nobody waits for the answer any more
  await proxy.close();

  await client.end();
  await expect(send(client, [begin])).rejects.toThrow();
});

test('on a pool, a connection that is lost or hangs under a statement fails that statement alone', async () => {
  const { hostname: host, port } = new URL(database.url);
  const proxy = await startProxy({ target: { host, port: Number(port) } });
  const pool = openPool({ url: proxy.reroute(database.url), statementMs: 500 }, 1);
  try {
    expect((await sendOn(pool, divide(2))).rows).toEqual([{ result: 3 }]);
    const lost = sendOn(pool, { name: 'slow', text: 'select pg_sleep(10)' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.cut();
    await expect(lost).rejects.toThrow();
    proxy.heal();
    expect((await sendOn(pool, divide(3))).rows).toEqual([{ result: 2 }]);
    proxy.swallowReplies();
    await expect(sendOn(pool, divide(1))).rejects.toThrow('timeout');
    proxy.heal();
    expect((await sendOn(pool, divide(3))).rows).toEqual([{ result: 2 }]);
  } finally {
    await pool.end();
    await proxy.close();
  }
});

test('on a pool, a connection on which something failed is not used again', async () => {
  const pool = openPool({ url: database.url }, 1);
  try {
    const ask: Bound<{ pid: number }> = { name: 'pid', text: 'select pg_backend_pid() as pid' };
    const pid = async () => (await sendOn(pool, ask)).rows[0]?.pid;
    const first = await pid();
    expect(await pid()).toBe(first);
    await expect(sendOn(pool, divide(0))).rejects.toMatchObject({ code: '22012' });
    expect(await pid()).not.toBe(first);
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0]);
  } finally {
    await pool.end();
  }
});
