import { Ajv, type ValidateFunction } from 'ajv';
import { fromText } from '#api';
import { CASE_INSENSITIVE, NAME } from '#api/schemas';

/** Validates in place: what is said in either case becomes lower case. */
interface Validator {
  (data: unknown): boolean;
  errors?: NonNullable<ValidateFunction['errors']> | null;
}
type Values = Record<string, unknown>;

// Stops at the first fault, so that a large bad body costs no more than a small one.
const ajv = new Ajv({
  allErrors: false,
  verbose: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
});
ajv.addKeyword(NAME);
ajv.addKeyword({
  keyword: CASE_INSENSITIVE,
  type: 'string',
  schemaType: 'boolean',
  modifying: true,
  errors: false,
  validate: (
    _: boolean,
    text: string,
    __?: object,
    place?: { parentData: Values; parentDataProperty: string | number },
  ) => {
    if (place) place.parentData[place.parentDataProperty] = text.toLowerCase();
    return true;
  },
});

/** What validates a part of a request. Nothing is converted in a body. */
export function validatorOf(schema: object, part: string | undefined): Validator {
  const validate = ajv.compile(schema);
  if (part !== 'querystring') return validate as Validator;
  const { properties = {} } = schema as { properties?: Record<string, { type?: unknown }> };
  const converted = Object.entries(properties).filter(([, { type }]) => type !== 'string');
  const check: Validator = (query) => {
    const values = query as Values;
    for (const [name, { type }] of converted) {
      if (values[name] !== undefined) values[name] = fromText(type, values[name]);
    }
    const isValid = validate(query);
    check.errors = validate.errors ?? null;
    return isValid;
  };
  return check;
}
