import { readFileSync } from 'node:fs';

/** A statement of sql/, prepared once per connection under its file's name. */
export interface Statement {
  name: string;
  text: string;
}

const folder = new URL('./sql/', import.meta.url);

/** The statement in sql/<name>.sql. */
export function statement(name: string): Statement {
  return { name, text: readFileSync(new URL(`${name}.sql`, folder), 'utf8') };
}

/**
 * A Postgres array literal of one value for each row. Only for values that need no quoting: numbers, hex,
 * base64url, UUIDs, scope keys, times; undefined becomes NULL.
 */
export function list<Row>(
  rows: readonly Row[],
  value: (row: Row) => string | number | boolean | undefined,
): string {
  let literal = '';
  for (const row of rows) literal += `${literal === '' ? '{' : ','}${value(row) ?? 'NULL'}`;
  return literal === '' ? '{}' : `${literal}}`;
}

/** A Postgres array literal of the values themselves; the same rules hold. */
export function listOf(values: Iterable<string | number>): string {
  return `{${[...values].join(',')}}`;
}
