import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import { type Composite, readComposites } from './composites.js';
import { bigint, boolean, bytea, int, smallint, text, timestamptz, uuid } from './postgres-types.js';
import { CompositeMismatch, field, type Records, records } from './records.js';

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
