import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import { bigint, boolean, bytea, int, smallint, text, timestamptz, uuid } from './postgres-types.js';
import { field, records } from './records.js';

interface Sample {
  small: number;
  number: number | undefined;
  big: number;
  flag: boolean;
  at: string;
  id: string;
  text: string | undefined;
  bytes: Buffer | undefined;
}

const samples = records<Sample>(
  field(smallint, (row) => row.small),
  field(int, (row) => row.number),
  field(bigint, (row) => row.big),
  field(boolean, (row) => row.flag),
  field(timestamptz, (row) => row.at),
  field(uuid, (row) => row.id),
  field(text, (row) => row.text),
  field(bytea, (row) => row.bytes),
);

let database: TestDatabase;
let client: pg.Client;
let oid: number;
beforeAll(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(
    'create type sample as (small smallint, number int, big bigint, flag boolean, at timestamptz, id uuid, text text, bytes bytea)',
  );
  oid = (await client.query("select 'sample'::regtype::oid as oid")).rows[0].oid;
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const full: Sample = {
  small: -2,
  number: 7,
  big: Number.MAX_SAFE_INTEGER,
  flag: true,
  at: '2026-11-21T18:07:27.123Z',
  id: '019a1b2c-3d4e-7f00-8123-456789abcdef',
  text: '{"ä":"€😀\\"}',
  bytes: Buffer.from([0, 255]),
};

test('rows come as Postgres has them, undefined as NULL', async () => {
  const empty = { ...full, flag: false, number: undefined, text: undefined, bytes: undefined };
  const { rows } = await client.query('select * from unnest($1::sample[])', [
    samples(oid, [full, empty, { ...full, text: '', bytes: Buffer.alloc(0) }]),
  ]);
  const expected = { ...full, big: String(full.big), at: new Date(full.at) };
  expect(rows).toEqual([
    expected,
    { ...expected, flag: false, number: null, text: null, bytes: null },
    { ...expected, text: '', bytes: Buffer.alloc(0) },
  ]);
});

test('no rows are none', async () => {
  const { rows } = await client.query('select * from unnest($1::sample[])', [samples(oid, [])]);
  expect(rows).toEqual([]);
});

test('many rows of different lengths', async () => {
  const many = Array.from({ length: 600 }, (_, index) => ({
    ...full,
    big: index,
    text: '€'.repeat(index % 50),
  }));
  const { rows } = await client.query('select big, text from unnest($1::sample[])', [samples(oid, many)]);
  expect(rows).toEqual(many.map(({ big, text }) => ({ big: String(big), text })));
});

test('a value that its attribute cannot hold is refused as Postgres would, before anything is sent', () => {
  expect(() => samples(oid, [{ ...full, small: 2 ** 15 }])).toThrow(
    expect.objectContaining({ code: '22P02', severity: 'ERROR' }),
  );
});

test('other attributes than those of the type are refused by Postgres', async () => {
  const fewer = records<Sample>(field(smallint, (row) => row.small));
  await expect(client.query('select unnest($1::sample[])', [fewer(oid, [full])])).rejects.toMatchObject({
    code: '42804',
  });
});
