import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  AsOf,
  Epoch,
  GivenId,
  Handle,
  HandleKind,
  HandleValue,
  Id,
  Label,
  Lease,
  NewHandles,
  named,
  type Operation,
  Owner,
  operations,
  PositionText,
  Reason,
  Usage,
} from '#contracts';
import { type ProblemKind, problems } from '#protocol';
import { EVENT_TYPES } from '#session';

/** A JSON schema as far as ours go. */
interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  /** Of a map: one pattern, which any name meets. */
  patternProperties?: Record<string, Schema>;
  required?: string[];
  description?: string;
}

/** Values that many requests have, what stands inside of others first. */
const namedValues = Object.entries({
  Id,
  GivenId,
  Epoch,
  Owner,
  Reason,
  Label,
  HandleKind,
  HandleValue,
  Handle,
  NewHandles,
  Lease,
  Usage,
  AsOf,
  PositionText,
});

const ANYTHING = '{ [name: string]: unknown }';
const plain = (schema: unknown): Schema => JSON.parse(JSON.stringify(schema));
const schemas = Object.entries(named).map(([name, schema]) => [name, plain(schema)] as const);
const nameOf = new Map(schemas.map(([name, schema]) => [JSON.stringify(schema), name]));

/** The text of libs/client/api.ts: types and routes of the API, with nothing to import. */
export function clientApi(): string {
  const text = [
    '// Generated from libs/contracts by `UPDATE_CLIENT_API=1` with test/client-api.test.ts. Do not edit.',
    ...schemas.map(([name, schema]) => declaration(name, schema)),
    `/** Every operation by its id in /openapi.json. */\nexport interface Operations {${Object.entries<Operation>(
      operations,
    )
      .map(([id, operation]) => types(id, operation))
      .join('\n')}}`,
    'export type OperationId = keyof Operations;',
    `export const routes = {${Object.entries<Operation>(operations)
      .map(([id, operation]) => route(id, operation))
      .join('\n')}} as const;`,
    "/** Everything that can go wrong, by code: a problem's `type` is `/problems/<code>`. */",
    `export const problems = {${Object.entries<ProblemKind>(problems)
      .map(([code, kind]) => `'${code}': ${JSON.stringify(kind)},`)
      .join('\n')}} as const;`,
    'export type ProblemCode = keyof typeof problems;',
    `/** The events that this version knows. */\nexport const EVENT_TYPES = ${JSON.stringify(EVENT_TYPES)} as const;`,
    'export type EventType = (typeof EVENT_TYPES)[number];',
  ].join('\n\n');
  return formatted(text);
}

/** The text of libs/memory-ledger/schemas.ts: what requests have to be, as the service validates them. */
export function requestSchemas(): string {
  const shown = Object.entries<Operation>(operations).map(([id, { params, query, body }]) => {
    const parts = Object.entries({ params, query, body }).filter(([, schema]) => schema);
    return `${id}: {${parts.map(([name, schema]) => `${name}: ${withNames(schema)}`).join(',\n')}},`;
  });
  const values = namedValues.map(([name, schema]) => `const ${name} = ${withNames(schema)};`);
  return formatted(
    [
      '// Generated from libs/contracts by `UPDATE_CLIENT_API=1` with test/client-api.test.ts. Do not edit.',
      "import type { OperationId } from '#client';\nimport type { Schema } from './validate.js';",
      ...values,
      `/** What a request has to be, by operation: the schemas that the service validates with. */
export const schemas: Record<OperationId, { params?: Schema; query?: Schema; body?: Schema }> = {${shown.join('\n')}};`,
    ].join('\n\n'),
  );
}

/** The JSON of a schema, with names for those inside of it that have one. */
function withNames(schema: unknown): string {
  const json = JSON.stringify(schema, (_, inner) => {
    const text = inner === schema ? '' : JSON.stringify(inner);
    const name = namedValues.find(([, one]) => JSON.stringify(one) === text)?.[0];
    return name ? `<${name}>` : inner;
  });
  return json.replace(/"<(\w+)>"/g, '$1');
}

function declaration(name: string, schema: Schema): string {
  const comment = schema.description ? `/** ${schema.description}. */\n` : '';
  if (schema.properties) return `${comment}export interface ${name} ${members(schema)}`;
  return `${comment}export type ${name} = ${typeOfUnnamed(schema)};`;
}

function types(id: string, { summary, params, query, body, answers }: Operation): string {
  const parts = Object.entries({ params, query, body }).filter(([, schema]) => schema);
  const shown = parts.map(([name, schema]) => {
    const { required = [], type } = plain(schema);
    const optional = required.length === 0 && type === 'object' ? '?' : '';
    // What a caller hands over may be an interface of its own, which has no index signature.
    return `${name}${optional}: ${typeOf(plain(schema)).replaceAll(ANYTHING, 'object')};`;
  });
  const replies = Object.entries(answers).map(([status, reply]) =>
    status === '304'
      ? 'undefined'
      : reply.schema
        ? typeOf(plain(reply.schema))
        : 'ReadableStream<Uint8Array>',
  );
  return `/** ${summary}. */\n${id}: {${shown.join('\n')}\nanswer: ${[...new Set(replies)].join(' | ')};\n};`;
}

const route = (id: string, { method, path, reads }: Operation) =>
  `${id}: { method: '${method}', path: '${path}'${reads ? ', reads: true' : ''} },`;

function typeOf(schema: Schema): string {
  return nameOf.get(JSON.stringify(schema)) ?? typeOfUnnamed(schema);
}

function typeOfUnnamed(schema: Schema): string {
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ type })).join(' | ');
  switch (schema.type) {
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return schema.patternProperties
        ? `{ [name: string]: ${Object.values(schema.patternProperties).map(typeOf).join(' | ')} }`
        : members(schema);
    case 'integer':
      return 'number';
    case 'null':
    case 'string':
    case 'number':
    case 'boolean':
      return schema.type;
    default:
      return 'unknown';
  }
}

function members({ properties = {}, required = [], additionalProperties }: Schema): string {
  if (typeof additionalProperties === 'object') return `{ [name: string]: ${typeOf(additionalProperties)} }`;
  const shown = Object.entries(properties).map(([name, schema]) => {
    // A type that has a name says itself what it is.
    const isNamed = nameOf.has(JSON.stringify(schema));
    const comment = schema.description && !isNamed ? `\n/** ${schema.description}. */\n` : '';
    return `${comment}${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`;
  });
  return shown.length === 0 ? ANYTHING : `{\n${shown.join('\n')}}`;
}

function formatted(text: string): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const biome = `${root}node_modules/.bin/biome`;
  const { stdout, stderr, status } = spawnSync(biome, ['format', '--stdin-file-path=api.ts'], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`biome cannot format the client's API: ${stderr}`);
  return stdout;
}
