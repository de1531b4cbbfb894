import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  CommandAnswer,
  EVENT_TYPES,
  EventPage,
  Lease,
  LedgerEvent,
  type Operation,
  Owner,
  operations,
  PlacedSession,
  Position,
  type ProblemKind,
  problems,
  Session,
  Transition,
} from '#contracts';

/** A JSON schema as far as ours go. */
interface Schema {
  type?: string;
  $id?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  description?: string;
}

const ANYTHING = '{ [name: string]: unknown }';
const plain = (schema: unknown): Schema => JSON.parse(JSON.stringify(schema));
const problemSchema = plain(operations.renewLeases.answers[200].schema).properties?.results?.items?.anyOf?.[1]
  ?.properties?.problem as Schema;
const named = new Map(
  Object.entries({
    Owner,
    Lease,
    Position,
    Session,
    PlacedSession,
    Transition,
    LedgerEvent,
    CommandAnswer,
    EventPage,
    Problem: problemSchema,
  }).map(([name, schema]) => [JSON.stringify(plain(schema)), name]),
);

/** The text of libs/client/api.ts: types and routes of the API, with nothing to import. */
export function clientApi(): string {
  const text = [
    '// Generated from libs/contracts by `UPDATE_CLIENT_API=1` with test/client-api.test.ts. Do not edit.',
    ...[...named].map(([json, name]) => `export interface ${name} ${members(JSON.parse(json))}`),
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
  const name = named.get(JSON.stringify(schema));
  if (name) return name;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ');
  switch (schema.type) {
    case 'array':
      return `(${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return members(schema);
    case 'integer':
      return 'number';
    case 'string':
    case 'number':
    case 'boolean':
      return schema.type;
    default:
      return 'unknown';
  }
}

function members({ properties = {}, required = [] }: Schema): string {
  const shown = Object.entries(properties).map(([name, schema]) => {
    const comment = schema.description ? `\n/** ${schema.description}. */\n` : '';
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
