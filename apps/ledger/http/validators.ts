import { Ajv, type ValidateFunction } from 'ajv';
import { explainValidation, fromText, ProblemError, type ValidationFault } from '#api';
import { CASE_INSENSITIVE, NAME, type Operation, type OperationId, operations } from '#api/schemas';

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
  // V8 does that as well: validating takes as long without it, and making the validators two thirds of the time.
  code: { optimize: false },
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

const made = new WeakMap<object, Validator>();

/** What validates a part of a request, made once for each schema. Nothing is converted in a body. */
export function validatorOf(schema: object, part: string | undefined): Validator {
  const known = made.get(schema) ?? newValidator(schema, part);
  made.set(schema, known);
  return known;
}

function newValidator(schema: object, part: string | undefined): Validator {
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

/** Checks a part of a request that did not come by itself. Throws `invalid-request`, which says where in the request it stands. */
export function checkPart(id: OperationId, part: 'params' | 'body', value: unknown, place: string): void {
  const schema = (operations[id] as Operation)[part];
  if (!schema) return;
  const validate = validatorOf(schema, part);
  if (validate(value)) return;
  const fault = validate.errors?.[0];
  throw new ProblemError('invalid-request', fault && explainValidation(fault as ValidationFault, place));
}
