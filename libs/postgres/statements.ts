import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A statement of a room's sql/, prepared once per connection under its file's name. */
export interface Statement {
  name: string;
  text: string;
}

/** Where each statement stands that was asked for: rooms share connections, so no two may have one name. */
const places = new Map<string, string>();

/**
 * Finds statements by name: `<name>.sql` in a folder, or in any folder below it. Throws when there is none of this name,
 * when there are two, or when another room has one.
 */
export function statementsIn(folder: URL): (name: string) => Statement {
  const root = fileURLToPath(folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return (name) => {
    const found = files.filter((file) => basename(file) === `${name}.sql`).map((file) => join(root, file));
    const [place] = found;
    if (place === undefined) throw new Error(`There is no statement ${name} in ${root}.`);
    const others = new Set([...found, places.get(name) ?? place]);
    if (others.size > 1) throw new Error(`Statements of one name: ${[...others].join(', ')}.`);
    places.set(name, place);
    return { name, text: readFileSync(place, 'utf8') };
  };
}

/** The statement in this room's sql/ of this name. */
export const statement = statementsIn(new URL('./sql/', import.meta.url));
