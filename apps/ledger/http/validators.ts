import { Ajv, type Options, type ValidateFunction } from 'ajv';

// Stops at the first fault, so that a large bad body costs no more than a small one.
const strict: Options = { allErrors: false, verbose: true, strict: true, strictRequired: false };
const ofBodies = new Ajv(strict);
/** Addresses carry text only: numbers in them are converted. Not strict, or Infinity would pass any maximum. */
const ofAddresses = new Ajv({ ...strict, coerceTypes: true, strictNumbers: false });

/** What validates a part of a request. Nothing is converted in a body. */
export function validatorOf(schema: object, part: string | undefined): ValidateFunction {
  return (part === 'body' ? ofBodies : ofAddresses).compile(schema);
}
