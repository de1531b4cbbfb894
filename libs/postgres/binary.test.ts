import fc from 'fast-check';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import {
  bigints,
  booleans,
  byteas,
  CompositeMismatch,
  field,
  ints,
  type Records,
  records,
  smallints,
  texts,
  timestamps,
  types,
  uuids,
} from './binary.js';
import { type Composite, readComposites } from './composites.js';

const { bigint, boolean, bytea, int, smallint, text, timestamptz, uuid } = types;

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

const fields = {
  small: field(smallint, (row: Sample) => row.small),
  number: field(int, (row: Sample) => row.number),
  big: field(bigint, (row: Sample) => row.big),
  flag: field(boolean, (row: Sample) => row.flag),
  at: field(timestamptz, (row: Sample) => row.at),
  id: field(uuid, (row: Sample) => row.id),
  text: field(text, (row: Sample) => row.text),
  bytes: field(bytea, (row: Sample) => row.bytes),
};

let database: TestDatabase;
let client: pg.Client;
let samples: Records<Sample>;
beforeAll(async () => {
  database = await createDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(
    'create type sample as (small smallint, number int, big bigint, flag boolean, at timestamptz, id uuid, text text, bytes bytea)',
  );
  samples = records(await typeOf('sample'), fields);
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

async function typeOf(name: string): Promise<Composite> {
  const found = (await readComposites(client, 'public')).get(name);
  if (!found) throw new Error(`there is no type ${name}`);
  return found;
}

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
    samples([full, empty, { ...full, text: '', bytes: Buffer.alloc(0) }]),
  ]);
  const expected = { ...full, big: String(full.big), at: new Date(full.at) };
  expect(rows).toEqual([
    expected,
    { ...expected, flag: false, number: null, text: null, bytes: null },
    { ...expected, text: '', bytes: Buffer.alloc(0) },
  ]);
});

test('no rows are none', async () => {
  const { rows } = await client.query('select * from unnest($1::sample[])', [samples([])]);
  expect(rows).toEqual([]);
});

test('many rows of different lengths', async () => {
  const many = Array.from({ length: 600 }, (_, index) => ({
    ...full,
    big: index,
    text: '€'.repeat(index % 50),
  }));
  const { rows } = await client.query('select big, text from unnest($1::sample[])', [samples(many)]);
  expect(rows).toEqual(many.map(({ big, text }) => ({ big: String(big), text })));
});

test('a value that its attribute cannot hold is refused as Postgres would, before anything is sent', () => {
  expect(() => samples([{ ...full, small: 2 ** 15 }])).toThrow(
    expect.objectContaining({ code: '22P02', severity: 'ERROR' }),
  );
});

describe('attributes are matched by name', () => {
  interface Pair {
    sequence: number;
    version: number;
  }
  const pair = {
    sequence: field(bigint, (row: Pair) => row.sequence),
    version: field(bigint, (row: Pair) => row.version),
  };
  const swapped = { version: pair.version, sequence: pair.sequence };
  const made = async (name: string, attributes: string) => {
    await client.query(`create type ${name} as (${attributes})`);
    return typeOf(name);
  };

  test.each([
    ['in_order', 'sequence bigint, version bigint'],
    ['in_another_order', 'version bigint, sequence bigint'],
  ])('two of one type do not change places: %s', async (name, attributes) => {
    const type = await made(name, attributes);
    for (const listed of [pair, swapped]) {
      const values = [records(type, listed)([{ sequence: 1, version: 2 }])];
      const { rows } = await client.query(`select * from unnest($1::${name}[])`, values);
      expect(rows).toEqual([{ sequence: '1', version: '2' }]);
    }
  });

  test.each([
    ['a_new_one', 'sequence bigint, version bigint, epoch bigint', 'a_new_one.epoch is not known'],
    ['one_gone', 'sequence bigint', 'one_gone has no version'],
    ['renamed', 'sequence bigint, revision bigint', 'renamed.revision is not known'],
    ['of_another_type', 'sequence bigint, version int', 'of_another_type.version is of type 23, not 20'],
  ])(
    'other attributes than the type has are refused before any row is written: %s',
    async (name, attributes, why) => {
      const type = await made(name, attributes);
      expect(() => records(type, pair)).toThrow(new CompositeMismatch(why));
    },
  );

  test('one that was dropped counts no more', async () => {
    const { name } = await made('once_wider', 'gone text, sequence bigint, version bigint');
    await client.query('alter type once_wider drop attribute gone');
    const values = [records(await typeOf(name), pair)([{ sequence: 1, version: 2 }])];
    const { rows } = await client.query('select * from unnest($1::once_wider[])', values);
    expect(rows).toEqual([{ sequence: '1', version: '2' }]);
  });
});
