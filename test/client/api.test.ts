import { type Operation, operations, type StartBody } from '#api/schemas';
import { type Shape, shapeOf } from '../../libs/client/calls/shapes.js';
import type { OperationId, Operations } from '../../libs/client/generated/api.js';

test('what the client sends is what the service takes', () => {
  type Sent = Operations['startSession']['body'];
  const toTheService = (body: Sent): StartBody => body;
  const toTheClient = (body: StartBody): Sent => body;
  expect([toTheService, toTheClient]).toHaveLength(2); // it is the compiler that checks
});

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

/** Whether each answer of this schema has what the client looks for. */
function gives(schema: Schema, shape: Shape): boolean {
  if (schema.allOf)
    return Object.entries(shape).every(([name, inner]) =>
      (schema.allOf ?? []).some((one) => gives(one, { [name]: inner })),
    );
  const type = schema.type ?? typeof (schema.enum?.[0] ?? schema.const);
  if (typeof shape === 'string') return shape === (type === 'integer' ? 'number' : type);
  return Object.entries(shape).every(([name, inner]) => {
    const member = schema.properties?.[name];
    return member !== undefined && schema.required?.includes(name) === true && gives(member, inner);
  });
}

test.each(Object.entries<Operation>(operations))(
  'what the client looks for in an answer of %s, it has',
  (id, { answers }) => {
    for (const [status, { schema, asked }] of Object.entries(answers)) {
      if (status >= '300') continue;
      const shape = shapeOf(id as OperationId);
      if (schema) expect(gives(schema as Schema, shape as Shape)).toBe(true);
      else expect(shape).toBeUndefined();
      if (asked)
        expect(gives(asked as Schema, shapeOf(id as OperationId, { all: true }) as Shape)).toBe(true);
    }
  },
);
