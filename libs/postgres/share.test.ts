import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import { openPool, type Share, ShareFull } from './share.js';

let database: TestDatabase;
let pool: Share;
beforeAll(async () => {
  database = await createDatabase();
  pool = openPool({ url: database.url, connectMs: 300 }, 1, 2);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('so many wait and no more; who is refused and who waits in vain is counted', async () => {
  const held = await pool.connect();
  const waiting = [pool.query('select 1'), pool.connect()];
  const isOver = Promise.allSettled(waiting);
  expect([pool.inUse, pool.waitingCount]).toEqual([1, 2]);
  await expect(pool.connect()).rejects.toBeInstanceOf(ShareFull);
  await expect(pool.query('select 1')).rejects.toBeInstanceOf(ShareFull);
  expect(pool.refused).toBe(2);
  for (const one of await isOver) expect(one.status).toBe('rejected');
  expect(pool.refused).toBe(4);
  held.release();
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  expect([pool.inUse, pool.refused]).toEqual([0, 4]);
});
