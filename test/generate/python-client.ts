import { type ProblemKind, problems } from '#api';
import { openApi } from '#api/schemas';
import { EVENT_TYPES, TIMER_OUTCOMES } from '#session';

/** A JSON schema of the published document, as far as ours go. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  patternProperties?: Record<string, Schema>;
  required?: string[];
  description?: string;
}

interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}

type Described = Omit<Operation, 'id' | 'method' | 'path'> & { operationId: string };

const document = openApi('') as {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> };
};
const all: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId, ...rest }]) => ({
    ...rest,
    id: operationId,
    method: method.toUpperCase(),
    path,
  })),
);

/** Python's own words cannot be members of a class that is written as one. */
const RESERVED = new Set(['from', 'in', 'is', 'class', 'global', 'pass', 'not', 'and', 'or', 'if', 'with']);
const HEAD = 'from __future__ import annotations\n\n';

/** TypedDicts of what the API takes and answers, from the published OpenAPI document. */
export function pythonModels(): string {
  const models = new Models();
  for (const [name, schema] of Object.entries(document.components.schemas)) models.define(name, schema);
  for (const operation of all) models.defineRequest(operation);
  // What callers say of a body; the client knows the rest.
  models.derive('JoinRequest', 'StartBody', ['onConflict']);
  models.derive('ClaimRequest', 'ClaimBody', [], { sessionId: { type: 'string' } });
  models.derive('OwnRotateBody', 'RotateBody', ['epoch', 'owner']);
  models.derive('OwnReleaseBody', 'ReleaseBody', ['epoch', 'owner']);
  models.derive('OwnEndBody', 'EndBody', ['epoch', 'origin']);
  models.derive('SessionInEvent', 'Session', ['attributes']);
  return [
    `${HEAD}from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union`,
    'if TYPE_CHECKING:\n    from typing_extensions import NotRequired, TypeAlias',
    models.text(),
    `EventType: TypeAlias = ${literal(EVENT_TYPES)}`,
    `ProblemCode: TypeAlias = ${literal(Object.keys(problems))}`,
    '',
  ].join('\n\n\n');
}

/** Routes, problems and the overloads of `call`. */
export function pythonCalls(): string {
  const answered = all.filter((operation) => answerOf(operation));
  const overloads = (prefix: string) =>
    answered.map(
      (operation) =>
        `    @overload\n    ${prefix}def call(\n        self, operation: Literal["${operation.id}"], request: models.${requestName(operation.id)}, /, **how: Unpack[CallOptions]\n    ) -> ${returned(operation)}: ...`,
    );
  const calls = (name: string, prefix: string, wait: string) =>
    [
      `class ${name}:\n    """Every operation of the API by its id in /openapi.json; the streams aside."""`,
      ...overloads(prefix),
      `    ${prefix}def call(self, operation: str, request: Any, /, **how: Unpack[CallOptions]) -> Any:`,
      `        """Asks the ledger. Raises LedgerError when that comes to nothing."""\n        return ${wait}self._ask(operation, request, how)`,
      `    ${prefix}def _ask(self, operation: str, request: Any, how: CallOptions) -> Any:\n        raise NotImplementedError`,
    ].join('\n\n');
  return [
    `${HEAD}from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Optional, overload`,
    'if TYPE_CHECKING:\n    from typing_extensions import Unpack\n\n    from ..calls.options import CallOptions\n    from . import models',
    `class Route(NamedTuple):
    method: str
    path: str
    """Whether it changes nothing."""
    reads: bool
    """The name of what it answers; none for a stream."""
    answer: Optional[str]`,
    `ROUTES: dict[str, Route] = {\n${all.map(route).join('\n')}\n}`,
    `class ProblemKind(NamedTuple):\n    status: int\n    title: str\n    retryable: bool`,
    `PROBLEMS: dict[str, ProblemKind] = {\n${Object.entries<ProblemKind>(problems)
      .map(
        ([code, { status, title, retryable }]) =>
          `    "${code}": ProblemKind(${status}, ${JSON.stringify(title)}, ${python(retryable)}),`,
      )
      .join('\n')}\n}`,
    `EVENT_TYPES: tuple[str, ...] = (\n${EVENT_TYPES.map((type) => `    "${type}",`).join('\n')}\n)`,
    `TIMER_OUTCOMES: frozenset[str] = frozenset(\n    {\n${TIMER_OUTCOMES.map((one) => `        "${one}",`).join('\n')}\n    }\n)`,
    calls('AsyncCalls', 'async ', 'await '),
    calls('Calls', '', ''),
    '',
  ].join('\n\n\n');
}

class Models {
  readonly #texts: string[] = [];
  readonly #names = new Set<string>();
  /** Whose members have their types already. */
  #nested: string | undefined;

  text(): string {
    return this.#texts.join('\n\n\n');
  }

  define(name: string, given: Schema): void {
    const schema = given.allOf ? merged(given.allOf) : given;
    if (this.#names.has(name)) throw new Error(`two models have the name ${name}`);
    this.#names.add(name);
    if (schema.properties && Object.keys(schema.properties).length > 0) this.#class(name, schema);
    else this.#texts.push(`${name}: TypeAlias = "${this.#type(schema, name)}"${doc(schema, '')}`);
  }

  /** A body without some of its members, and with others. */
  derive(name: string, from: string, without: string[], more: Record<string, Schema> = {}): void {
    const { properties = {}, required = [] } = document.components.schemas[from] as Schema;
    const kept = Object.entries({ ...properties, ...more }).filter(([member]) => !without.includes(member));
    this.#nested = from;
    this.define(name, {
      properties: Object.fromEntries(kept),
      required: [...required, ...Object.keys(more)].filter((member) => !without.includes(member)),
    });
    this.#nested = undefined;
  }

  defineRequest({ id, parameters, requestBody }: Operation): void {
    const parts: Record<string, Schema> = {};
    for (const [part, place] of Object.entries({ params: 'path', query: 'query' })) {
      const given = parameters.filter((one) => one.in === place);
      if (given.length === 0) continue;
      parts[part] = {
        type: 'object',
        properties: Object.fromEntries(given.map(({ name, schema }) => [name, schema])),
        required: given.filter(({ required }) => required).map(({ name }) => name),
      };
    }
    const body = requestBody?.content['application/json'].schema;
    if (body) parts.body = body;
    const name = requestName(id);
    const required = Object.entries(parts).filter(
      ([part, schema]) => part === 'body' || (schema.required ?? []).length > 0,
    );
    if (Object.keys(parts).length === 0) {
      this.#texts.push(`class ${name}(TypedDict):\n    pass`);
      return;
    }
    this.define(name, { properties: parts, required: required.map(([part]) => part) });
  }

  #class(name: string, schema: Schema): void {
    const members = Object.entries(schema.properties ?? {}).map(([member, inner]) => {
      const type = this.#type(inner, (this.#nested ?? name) + upper(member));
      const isRequired = schema.required?.includes(member);
      return { member, inner, type: isRequired ? type : `NotRequired[${type}]` };
    });
    if (members.some(({ member }) => RESERVED.has(member))) {
      const shown = members.map(({ member, type }) => `        "${member}": "${type}",`);
      this.#texts.push(`${name} = TypedDict(\n    "${name}",\n    {\n${shown.join('\n')}\n    },\n)`);
      return;
    }
    const shown = members.map(({ member, inner, type }) => `    ${member}: ${type}${doc(inner, '    ')}`);
    this.#texts.push(`class ${name}(TypedDict):${doc(schema, '    ')}\n${shown.join('\n')}`);
  }

  #type(schema: Schema, name: string): string {
    if (schema.$ref) return schema.$ref.split('/').at(-1) as string;
    if ('const' in schema) return literal([schema.const]);
    if (schema.enum) return literal(schema.enum);
    if (schema.anyOf)
      return union(schema.anyOf.map((one, index) => this.#type(one, `${name}${index || ''}`)));
    if (schema.allOf) return this.#type(merged(schema.allOf), name);
    if (Array.isArray(schema.type)) return union(schema.type.map((type) => this.#type({ type }, name)));
    switch (schema.type) {
      case 'array':
        return `list[${this.#type(schema.items ?? {}, `${name}Item`)}]`;
      case 'object': {
        const inner = Object.values(schema.patternProperties ?? {})[0] ?? schema.additionalProperties;
        if (Object.keys(schema.properties ?? {}).length > 0) {
          if (!this.#nested) this.define(name, schema);
          return name;
        }
        return `dict[str, ${typeof inner === 'object' ? this.#type(inner, `${name}Value`) : 'Any'}]`;
      }
      case 'string':
        return 'str';
      case 'integer':
        return 'int';
      case 'number':
        return 'float';
      case 'boolean':
        return 'bool';
      case 'null':
        return 'None';
      default:
        return 'Any';
    }
  }
}

function merged(parts: Schema[]): Schema {
  const whole = parts.map(({ $ref, ...rest }) =>
    $ref ? (document.components.schemas[$ref.split('/').at(-1) as string] as Schema) : rest,
  );
  return {
    type: 'object',
    properties: Object.assign({}, ...whole.map(({ properties }) => properties)),
    required: whole.flatMap(({ required = [] }) => required),
  };
}

const requestName = (id: string) => `${upper(id)}Request`;
const upper = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const python = (value: unknown) =>
  value === true ? 'True' : value === false ? 'False' : JSON.stringify(value);
const literal = (values: readonly unknown[]) =>
  `Literal[${values.map(python).join(', ').replaceAll('"', "'")}]`;
const union = (types: string[]) => (types.length === 1 ? (types[0] as string) : `Union[${types.join(', ')}]`);

function doc({ description }: Schema, indent: string): string {
  return description ? `\n${indent}"""${description.replaceAll('\\', '\\\\')}."""` : '';
}

/** The name of what it answers; what the query can ask for in its place is the second one. Undefined for streams. */
function answerOf({ responses }: Operation): string | undefined {
  const [first] = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  const schema = first?.[1].content?.['application/json']?.schema;
  return (schema?.$ref ?? schema?.anyOf?.[0]?.$ref)?.split('/').at(-1);
}

function returned(operation: Operation): string {
  const name = `models.${answerOf(operation)}`;
  return '304' in operation.responses ? `Optional[${name}]` : name;
}

function route(operation: Operation): string {
  const { id, method, path, parameters } = operation;
  const reads =
    method === 'GET' || (method === 'POST' && !parameters.some(({ name }) => name === 'Idempotency-Key'));
  const answer = answerOf(operation);
  return `    "${id}": Route("${method}", "${path}", ${python(reads)}, ${answer ? `"${answer}"` : 'None'}),`;
}
