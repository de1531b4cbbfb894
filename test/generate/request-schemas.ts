import * as contracts from '#api/schemas';
import { NAME, type Operation, operations } from '#api/schemas';

const textOf = (schema: unknown) =>
  JSON.stringify(schema, (key, inner) => (key === NAME ? undefined : inner));
const nameOf = new Map(Object.entries(contracts).map(([name, exported]) => [textOf(exported), name]));

/** What requests have to be, as the service validates them. What stands inside of others stands there by its name. */
export function requestSchemas(): string {
  const constants = new Map<string, string>();
  const shown = Object.entries<Operation>(operations).map(([id, { needs, params, query, body }]) => {
    const parts = Object.entries({ params, query, body }).filter(([, schema]) => schema);
    return `${id}: {needs: ${JSON.stringify(needs)}, ${parts.map(([name, schema]) => `${name}: ${code(schema, constants)}`).join(',\n')}},`;
  });
  return [
    "import type { Needs, Schema } from '#api';\nimport type { OperationId } from '#client';",
    ...[...constants].map(([name, value]) => `const ${name} = ${value};`),
    `/** By operation: what it needs, and the schemas that the service validates with. */
export const schemas: Record<OperationId, { needs: Needs; params?: Schema; query?: Schema; body?: Schema }> = {${shown.join('\n')}};`,
  ].join('\n\n');
}

/** A schema as code; the constants that it needs are added, each after those that it needs itself. */
function code(value: unknown, constants: Map<string, string>): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one) => reference(one, constants)).join(', ')}]`;
  const members = Object.entries(value).filter(([key]) => key !== NAME);
  return `{${members.map(([key, inner]) => `${JSON.stringify(key)}: ${reference(inner, constants)}`).join(', ')}}`;
}

function reference(value: unknown, constants: Map<string, string>): string {
  const written = code(value, constants);
  const name = typeof value === 'object' && nameOf.get(textOf(value));
  if (!name) return written;
  constants.set(name, written);
  return name;
}
