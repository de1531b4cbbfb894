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
