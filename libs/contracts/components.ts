import { components } from './named.js';

export type Json = Record<string, unknown>;

const nameOf = new Map(Object.entries(components).map(([name, schema]) => [JSON.stringify(schema), name]));

/** Schemas with a name stand among the components once; everywhere else is a reference to them. */
export function withComponents(description: Json): Json {
  const schemas: Json = {};
  const refer = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = nameOf.get(JSON.stringify(value));
    if (name === undefined) return inside(value);
    schemas[name] ??= inside(value);
    return { $ref: `#/components/schemas/${name}` };
  };
  const inside = (value: object): unknown =>
    Array.isArray(value)
      ? value.map(refer)
      : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, refer(part)]));
  const { components: given, ...referred } = inside(description) as Json;
  return { ...referred, components: { ...(given as Json | undefined), schemas } };
}
