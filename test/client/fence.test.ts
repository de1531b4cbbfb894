import pg from 'pg';
import { fenceSql } from '#client';
import { freshDatabase } from '../support/service.js';

test("in a user's own table no order of writes leaves the mark of an old epoch", async () => {
  const pool = new pg.Pool({ connectionString: await freshDatabase(), max: 8 });
  await pool.query('create table documents (id int primary key, text text, session_epoch bigint)');
  await pool.query("insert into documents values (1, 'empty', null)");
  const write = async (epoch: number) => {
    const fence = fenceSql(epoch, 'session_epoch', 2);
    const statement = `update documents set text = $1, ${fence.set} where id = 1 and ${fence.where}`;
    return (await pool.query(statement, [`by ${epoch}`, fence.value])).rowCount;
  };
  for (let round = 0; round < 30; round++) {
    const epochs = Array.from({ length: 8 }, (_, number) => round * 8 + number + 1).sort(
      () => Math.random() - 0.5,
    );
    const written = await Promise.all(epochs.map(write));
    const highest = Math.max(...epochs);
    expect(written[epochs.indexOf(highest)]).toBe(1);
    expect((await pool.query('select text, session_epoch::int from documents')).rows).toEqual([
      { text: `by ${highest}`, session_epoch: highest },
    ]);
    expect(await write(highest - 1)).toBe(0);
  }
  await pool.end();
});
