import fc from 'fast-check';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import { bigints, booleans, byteas, ints, smallints, texts, timestamps, uuids } from './columns.js';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** What Postgres takes an array for, value by value, as text of its own. */
async function taken(type: string, column: Buffer): Promise<(string | null)[]> {
  const { rows } = await client.query(`select one::text from unnest($1::${type}[]) as one`, [column]);
  return rows.map(({ one }) => one);
}

const id = '019a1b2c-3d4e-7f00-8123-456789abcdef';

test.each([
  ['smallint', smallints([0, 1, -1, 32_767, -32_768]), ['0', '1', '-1', '32767', '-32768']],
  ['int', ints([0, 2_147_483_647, -2_147_483_648]), ['0', '2147483647', '-2147483648']],
  [
    'bigint',
    bigints([0, -1, 4_294_967_296, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]),
    ['0', '-1', '4294967296', '9007199254740991', '-9007199254740991'],
  ],
  ['boolean', booleans([true, false]), ['true', 'false']],
  ['uuid', uuids([id, id.replaceAll('-', ''), id.toUpperCase()]), [id, id, id]],
  ['text', texts(['', 'NULL', '{"a":"\\\\,"}', 'ä€😀']), ['', 'NULL', '{"a":"\\\\,"}', 'ä€😀']],
  ['bytea', byteas([Buffer.alloc(0), Buffer.from([0, 255])]), ['\\x', '\\x00ff']],
])('%s: as Postgres has it', async (type, column, expected) => {
  expect(await taken(type, column)).toEqual(expected);
});

test('timestamptz: to the millisecond, also before 2000', async () => {
  const times = ['2026-11-21T18:07:27.123Z', '1999-12-31T23:59:59.999Z', '1970-01-01T00:00:00.000Z'];
  const { rows } = await client.query('select one from unnest($1::timestamptz[]) as one', [
    timestamps(times),
  ]);
  expect(rows.map(({ one }) => one.toISOString())).toEqual(times);
});

test.each([
  ['smallint', smallints],
  ['bigint', bigints],
] as const)('%s: of no rows empty, and undefined is NULL', async (type, column) => {
  expect(await taken(type, column([]))).toEqual([]);
  const rows = [{ value: 1 }, { value: undefined }, { value: 3 }];
  expect(
    await taken(
      type,
      column<{ value: number | undefined }>(rows, ({ value }) => value),
    ),
  ).toEqual(['1', null, '3']);
});

test('any text comes back as it was', async () => {
  const text = fc.string({ unit: 'grapheme' }).filter((one) => !one.includes('\0'));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text, { nil: undefined })), async (values) => {
      const column = texts<string | undefined>(values, (one) => one);
      expect(await taken('text', column)).toEqual(values.map((one) => one ?? null));
    }),
    { numRuns: 50 },
  );
});

test.each<[string, () => Buffer]>([
  ['a UUID with a letter', () => uuids([id.replace('a', 'g')])],
  ['a UUID that is too short', () => uuids([id.slice(1)])],
  ['a UUID that is too long', () => uuids([`${id}0`])],
  ['a UUID of other digits', () => uuids([id.replace('1', '１')])],
  ['no UUID at all', () => uuids([''])],
  ['a fraction', () => bigints([1.5])],
  ['no number', () => ints([Number.NaN])],
  ['more than 2^53', () => bigints([2 ** 53])],
  ['more than a smallint', () => smallints([32_768])],
  ['more than an int', () => ints([2 ** 31])],
  ['no time', () => timestamps(['soon'])],
])('%s is refused as Postgres would refuse it, so that its command fails alone', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: '22P02', severity: 'ERROR' }));
});

test('U+0000 is refused by Postgres itself', async () => {
  await expect(taken('text', texts(['a\0b']))).rejects.toMatchObject({ code: '22021' });
});
