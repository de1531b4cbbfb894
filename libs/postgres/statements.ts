import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Statements } from './generated/statements.js';

/** A statement of a room's sql/, prepared once per connection under its file's name. */
export interface Statement<Row = unknown, Values = unknown> {
  name: string;
  text: string;
  /**
   * Never there: what the compiler knows of its rows and parameters. It is named as what node-postgres takes for something
   * else, whose own `query` would make `any` of the rows: `query` of this room is for statements.
   */
  types?: { row: Row; values: Values };
}

/** What a statement tells of each row. */
export type RowOf<One> = One extends { types?: { row: infer Row } } ? Row : never;

/** What `npm run generate -- --schema` finds of a room's statements, by name. */
type Types<Names> = { [Name in keyof Names]: { row: unknown; values: readonly unknown[] } };
type StatementOf<Type> = Type extends { row: infer Row; values: infer Values }
  ? Statement<Row, Values>
  : never;

/** Where each statement stands that was asked for: rooms share connections, so no two may have one name. */
const places = new Map<string, string>();

/**
 * Finds statements by name: `<name>.sql` in a folder, or in any folder below it. Throws when there is none of this name,
 * when there are two, or when another room has one.
 */
export function statementsIn<Known extends Types<Known>>(
  folder: URL,
): <Name extends keyof Known & string>(name: Name) => StatementOf<Known[Name]> {
  const root = fileURLToPath(folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return (name) => {
    const found = files.filter((file) => basename(file) === `${name}.sql`).map((file) => join(root, file));
    const [place] = found;
    if (place === undefined) throw new Error(`There is no statement ${name} in ${root}.`);
    const others = new Set([...found, places.get(name) ?? place]);
    if (others.size > 1) throw new Error(`Statements of one name: ${[...others].join(', ')}.`);
    places.set(name, place);
    return { name, text: readFileSync(place, 'utf8') } as Statement as StatementOf<Known[typeof name]>;
  };
}

/** The statement in this room's sql/ of this name. */
export const statement = statementsIn<Statements>(new URL('./sql/', import.meta.url));
