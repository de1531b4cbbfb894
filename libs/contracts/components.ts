export type Json = Record<string, unknown>;

/** Schemas with an `$id` stand among the components once; everywhere else is a reference to them. */
export function withComponents(description: Json): Json {
  const schemas: Json = {};
  const refer = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(refer);
    if (typeof value !== 'object' || value === null) return value;
    const { $id, ...rest } = value as Json;
    const inner = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, refer(part)]));
    if (typeof $id !== 'string') return inner;
    schemas[$id] = inner;
    return { $ref: `#/components/schemas/${$id}` };
  };
  const { components, ...referred } = refer(description) as Json;
  return { ...referred, components: { ...(components as Json | undefined), schemas } };
}
