import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { statementsIn } from './statements.js';

const root = mkdtempSync(join(tmpdir(), 'session-ledger-statements-'));
afterAll(() => rmSync(root, { recursive: true }));

/** The statements of a room that has these files, each with its path as its text. */
function room(name: string, files: readonly string[]): (name: string) => { name: string; text: string } {
  for (const file of files) {
    const path = join(root, name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file);
  }
  return statementsIn<Record<string, { row: unknown; values: [] }>>(pathToFileURL(`${join(root, name)}/`));
}

test('a statement is found by its name alone, in whatever folder it stands', () => {
  const statement = room('one', ['read_it.sql', 'save/keep_it.sql']);
  expect(statement('read_it')).toEqual({ name: 'read_it', text: 'read_it.sql' });
  expect(statement('keep_it')).toEqual({ name: 'keep_it', text: 'save/keep_it.sql' });
  expect(statement('keep_it')).toEqual(statement('keep_it'));
  expect(() => statement('it')).toThrow(/^There is no statement it in /);
});

test('two of one name are refused: within a room, and where rooms would share a connection', () => {
  expect(() => room('two', ['read/twice.sql', 'save/twice.sql'])('twice')).toThrow(
    /twice\.sql, .*twice\.sql/,
  );
  room('three', ['shared.sql'])('shared');
  expect(() => room('four', ['shared.sql'])('shared')).toThrow(/three\/shared\.sql|four\/shared\.sql/);
});
