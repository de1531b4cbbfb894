import { type ProblemKind, problems } from '#api';
import { NAME, namedIn, type Operation, operations } from '#api/schemas';
import { CURRENT_STATUSES, EVENT_TYPES, TIMER_OUTCOMES } from '#session';

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
  [NAME]?: string;
}

const ANYTHING = '{ [name: string]: unknown }';
const plain = (schema: unknown): Schema => JSON.parse(JSON.stringify(schema));
const nameOf = (schema: Schema | undefined) => schema?.[NAME];
const all = Object.entries<Operation>(operations);
/** By name; a body is spelled out where it is sent. */
const schemas = [...namedIn(all.map(([, operation]) => operation))]
  .filter(([name]) => !all.some(([, { body }]) => nameOf(body) === name))
  .sort(([one], [other]) => (one < other ? -1 : 1));

/** Types and routes of the API, with nothing to import. */
export function clientApi(): string {
  return [
    ...schemas.map(([name, schema]) => declaration(name, plain(schema))),
    `/** Every operation by its id in /openapi.json. */\nexport interface Operations {${lines(types)}}`,
    'export type OperationId = keyof Operations;',
    `export const routes = {${lines(route)}} as const;`,
    `/** What each operation answers; streams are left out. */\nexport const answers = {${lines(answer)}} as const;`,
    'export type AnswerName = (typeof answers)[keyof typeof answers];',
    "/** Everything that can go wrong, by code: a problem's `type` is `/problems/<code>`. */",
    `export const problems = {${Object.entries<ProblemKind>(problems)
      .map(([code, kind]) => `'${code}': ${JSON.stringify(kind)},`)
      .join('\n')}} as const;`,
    'export type ProblemCode = keyof typeof problems;',
    `/** The events that this version knows. */\nexport const EVENT_TYPES = ${JSON.stringify(EVENT_TYPES)} as const;`,
    'export type EventType = (typeof EVENT_TYPES)[number];',
    `/** The statuses of current sessions. */\nexport const CURRENT_STATUSES = ${JSON.stringify(CURRENT_STATUSES)} as const;`,
    `/** After a command that answers so, a session's lease runs from its beginning. */\nexport const TIMER_OUTCOMES: readonly string[] = ${JSON.stringify(TIMER_OUTCOMES)};`,
  ].join('\n\n');
}

const lines = (line: (id: string, operation: Operation) => string | readonly string[]) =>
  all.flatMap(([id, operation]) => line(id, operation)).join('\n');

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
    return `${name}${optional}: ${typeOfUnnamed(plain(schema)).replaceAll(ANYTHING, 'object')};`;
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
  `${id}: { method: '${method}', path: '${path.replace('*', '')}'${reads ? ', reads: true' : ''} },`;

/** A stream's has no name. */
function answer(id: string, { answers }: Operation): string[] {
  const names = Object.values(answers).flatMap(({ schema }) => nameOf(schema) ?? []);
  return names.slice(0, 1).map((name) => `${id}: '${name}',`);
}

const typeOf = (schema: Schema): string => nameOf(schema) ?? typeOfUnnamed(schema);

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
    const comment = schema.description && !nameOf(schema) ? `\n/** ${schema.description}. */\n` : '';
    return `${comment}${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema)};`;
  });
  return shown.length === 0 ? ANYTHING : `{\n${shown.join('\n')}}`;
}
