import { Type } from 'typebox';
import { named, withComponents } from './components.js';

const closed = { additionalProperties: false };
const RenewBody = named('RenewBody', { epoch: Type.Integer() }, closed);
const PauseBody = named('PauseBody', { epoch: Type.Integer() }, closed);

test('schemas of one shape keep their own names', () => {
  expect(withComponents({ renew: RenewBody, pause: PauseBody })).toEqual({
    renew: { $ref: '#/components/schemas/RenewBody' },
    pause: { $ref: '#/components/schemas/PauseBody' },
    components: {
      schemas: { RenewBody: Type.Object(RenewBody.properties, closed), PauseBody: expect.anything() },
    },
  });
});

test('a schema without a name stands where it is, whatever has the same shape', () => {
  const unnamed = Type.Object(RenewBody.properties, closed);
  expect(withComponents({ renew: RenewBody, other: unnamed })).toMatchObject({ other: unnamed });
});

test('a schema with a name is the same one where it may be left out', () => {
  const { components, body } = withComponents({
    body: Type.Object({ renew: Type.Optional(RenewBody) }),
    RenewBody,
  });
  expect(body).toMatchObject({ properties: { renew: { $ref: '#/components/schemas/RenewBody' } } });
  expect(components).toEqual({ schemas: { RenewBody: expect.anything() } });
});

test('two schemas with one name are refused', () => {
  const other = named('RenewBody', { epoch: Type.Integer(), reason: Type.String() }, closed);
  const describe = () => withComponents({ renew: RenewBody, inside: { other: Type.Array(other) } });
  expect(describe).toThrow('two schemas have the name RenewBody: rename one of them');
});
