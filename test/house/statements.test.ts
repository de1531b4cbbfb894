import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTestLedger } from '../../libs/log/testing/ledger.js';
import { staleStatementTypes, statementTypes } from '../generate/statement-types.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('rows and values of every statement are typed as this Postgres describes them', async () => {
  const ledger = await openTestLedger();
  try {
    for (const [file, text] of await statementTypes(ledger.pool)) {
      expect(readFileSync(join(root, file), 'utf8')).toBe(text);
    }
  } finally {
    await ledger.close();
  }
  expect(staleStatementTypes()).toEqual([]);
});

test('what a later version adds to a table changes no statement of this one, which runs on meanwhile', async () => {
  const ledger = await openTestLedger();
  try {
    // Of a connection that has prepared it: Postgres refuses it from then on when its columns are others.
    const { rows } = await ledger.pool.query(
      `select oid::regclass as name from pg_class
        where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p') and not relispartition`,
    );
    expect(rows.length).toBeGreaterThan(15);
    for (const { name } of rows) await ledger.pool.query(`alter table ${name} add column added int`);
    for (const [file, text] of await statementTypes(ledger.pool)) {
      expect(readFileSync(join(root, file), 'utf8')).toBe(text);
    }
  } finally {
    await ledger.close();
  }
});

test('no rows are read but of statements whose types are known', () => {
  const sources = ['apps', 'libs'].flatMap((side) =>
    readdirSync(join(root, side), { recursive: true, encoding: 'utf8' })
      .map((file) => join(side, file))
      .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|\/testing\/|\/generated\//.test(file)),
  );
  const reading = sources.flatMap((file) => {
    const code = readFileSync(join(root, file), 'utf8');
    // `this.query` is a class's own, around `query` of the Postgres room.
    const reads = code.matchAll(
      /\brows\b[^;=]*=\s*await[^;]*(?<!\bthis)\.query\([^;]*|(?<!\bthis)\.query\([^;]*\)\.rows\b/g,
    );
    return [...reads].map(([found]) => `${file}: ${found}`);
  });
  expect(reading).toEqual([]);
});
