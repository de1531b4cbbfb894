import type pg from 'pg';
import { send } from './packet.js';
import { statement } from './statements.js';

const compositeTypes = statement('composite_types');

/** A composite type as one database has it. */
export interface Composite {
  name: string;
  /** Its number in this database. */
  oid: number;
  /** In order. `type` is the number of the attribute's type. */
  attributes: { name: string; type: number }[];
}

/** The composite types of a schema, by name. */
export async function readComposites(client: pg.ClientBase, schema: string): Promise<Map<string, Composite>> {
  const [{ rows }] = await send(client, [{ ...compositeTypes, values: [schema] }]);
  const composites = new Map<string, Composite>();
  for (const { name, oid, attribute, type } of rows) {
    const composite: Composite = composites.get(name) ?? { name, oid, attributes: [] };
    composite.attributes.push({ name: attribute, type });
    composites.set(name, composite);
  }
  return composites;
}
