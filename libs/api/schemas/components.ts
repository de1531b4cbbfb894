import { type TObjectOptions, type TProperties, Type } from 'typebox';

export type Json = Record<string, unknown>;

/** The pattern of text without control characters and lone surrogates, as JSON Schema reads it: with Unicode classes. */
export const TEXT = '^[^\\p{Cc}\\p{Cs}]*$';
/** What descriptions say in its place: a tool that knows no such classes would take their letters for forbidden ones. */
const PLAIN_TEXT = '^[^\\x00-\\x1f\\x7f-\\x9f]*$';

/**
 * Says what a schema is called in /openapi.json, in /asyncapi.json and in what is generated. It is no `$id`, of which
 * Ajv takes none twice in a schema, and owners stand in many places.
 */
export const NAME = 'x-name';

/** An object with a name. */
export const named = <Properties extends TProperties>(
  name: string,
  properties: Properties,
  options: TObjectOptions = {},
) => Type.Object(properties, { ...options, [NAME]: name });

/** Schemas with a name stand among the components once; everywhere else is a reference to them. */
export function withComponents(description: Json): Json {
  const schemas = [...namedIn(description)].map(([name, { [NAME]: _, ...schema }]) => [
    name,
    referred(schema),
  ]);
  const { components: given, ...rest } = referred(description);
  return { ...rest, components: { ...(given as Json | undefined), schemas: Object.fromEntries(schemas) } };
}

/**
 * The schemas with a name anywhere in a value, what stands inside of others first. Throws when two that are not the
 * same have one name.
 */
export function namedIn(value: unknown, found = new Map<string, Json>()): Map<string, Json> {
  if (typeof value !== 'object' || value === null) return found;
  const schema = value as Json & { [NAME]?: string };
  const name = schema[NAME];
  const known = name === undefined ? undefined : found.get(name);
  if (known === schema) return found;
  for (const part of Object.values(schema)) namedIn(part, found);
  if (name === undefined) return found;
  if (known && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new Error(`two schemas have the name ${name}: rename one of them`);
  }
  return found.set(name, schema);
}

/** Without names: a reference stands for each schema inside that has one. */
function referred(schema: Json): Json {
  return Object.fromEntries(
    Object.entries(schema).map(([key, part]) => [key, part === TEXT ? PLAIN_TEXT : reference(part)]),
  );
}

function reference(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reference);
  return NAME in value ? { $ref: `#/components/schemas/${value[NAME]}` } : referred(value as Json);
}
