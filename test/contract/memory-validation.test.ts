import { converted, explainValidation, faultOf, type Schema, type ValidationFault } from '#api';
import { type Operation, operations } from '#api/schemas';
import { validatorOf } from '../../apps/ledger/http/validators.js';
import { schemas } from '../../libs/memory-ledger/generated/schemas.js';

/** The ledger in memory validates with a small validator of its own: it has to say what the service's says. */

const uuid = '01920000-0000-7003-8000-000000000000';
const texts = ['a', 'EUR', '1', '1:1', '0/000', uuid, '2026-01-31T12:00:00Z'];
const numbers = [
  '0x1',
  '0b1',
  ' ',
  ' 1',
  '1 ',
  '+1',
  '007',
  '1e2',
  '1.0',
  '.5',
  '5.',
  '1.5e-7',
  '١',
  '9'.repeat(400),
];
const long = 'x'.repeat(2_000);
const values = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308 * 10,
  '',
  '0',
  '-1',
  '1.5',
  'true',
  '1e400',
  1.5e-7,
  ...numbers,
  uuid.toUpperCase(),
  'A b\n',
  '\ud800',
  long,
];
const others = [...values, ...texts, '🎈'.repeat(65), [], [{}], {}, { a: 1 }, Array(1_001).fill(uuid)];

type Part = 'params' | 'query' | 'body';
const parts = Object.entries<Operation>(operations).flatMap(([id, operation]) =>
  (['params', 'query', 'body'] as const).flatMap((part) => {
    const schema = operation[part];
    return schema ? [[`${part} of ${id}`, id, part, schema] as const] : [];
  }),
);

/** Something valid with everything that there may be. */
function exampleOf(schema: Schema): unknown {
  if (schema.anyOf) return exampleOf(schema.anyOf[0] as Schema);
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, exampleOf(inner)]),
      );
    case 'array':
      return [exampleOf(schema.items as Schema)];
    case 'string':
      return texts.find((text) => faultOf(schema, text) === undefined);
    case 'boolean':
      return true;
    default:
      return schema.minimum ?? 0;
  }
}

/** Everything that is made of a value by one change somewhere in it. */
function* changed(value: unknown): Generator<unknown> {
  yield* others;
  if (Array.isArray(value)) {
    yield [...value, ...value, ...Array(20).fill(value[0])];
    for (const inner of changed(value[0])) yield [inner];
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, constructor: 1 };
    for (const [name, inner] of Object.entries(value)) {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
      for (const other of changed(inner)) yield { ...value, [name]: other };
    }
  }
}

/** As both of them see a request: addresses are text, and bodies have been JSON. */
function sent(part: Part, value: unknown): unknown {
  if (part === 'body' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, Array.isArray(inner) ? ['a', 'b'] : String(inner)]),
  );
}

const told = (fault: ValidationFault | null | undefined, part: Part) =>
  fault ? explainValidation(fault, part) : 'valid';

test.each(parts)('the %s', (_, id, part, schema) => {
  const service = validatorOf(schema, part === 'query' ? 'querystring' : part);
  const ours = schemas[id as keyof typeof schemas][part] as Schema;
  const example = exampleOf(ours);
  const seen = new Set<string>();
  for (const value of [example, ...changed(example)]) {
    const request = sent(part, value);
    if (part !== 'body' && (typeof request !== 'object' || Array.isArray(request) || request === null))
      continue;
    const [copy, other] = [structuredClone(request), structuredClone(request)];
    const taken = part === 'body' ? copy : converted(ours, copy as Record<string, unknown>);
    const mine = told(faultOf(ours, taken), part);
    service(other);
    const theirs = told(service.errors?.[0] as ValidationFault | undefined, part);
    expect([request, mine]).toEqual([request, theirs]);
    if (theirs === 'valid') expect(taken).toEqual(other);
    seen.add(theirs);
  }
  expect(seen).toContain('valid');
});
