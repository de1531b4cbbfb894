import { fromText } from './address-values.js';
import type { ValidationFault } from './validation.js';

/** A JSON schema as far as the ledger's requests have any. */
export interface Schema {
  type?: string | readonly string[];
  /** It is read as lower case. */
  'x-case-insensitive'?: boolean;
  description?: string;
  enum?: readonly unknown[];
  anyOf?: readonly Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: boolean;
  examples?: readonly unknown[];
}

type Values = Record<string, unknown>;

/**
 * The first fault of a value, in the order and the words of Ajv, which the service uses; undefined when it has none.
 * What is said in either case becomes lower case, in place.
 */
export function faultOf(schema: Schema, value: unknown, instancePath = ''): ValidationFault | undefined {
  const fault = (keyword: string, params: Values): ValidationFault => ({
    keyword,
    params,
    instancePath,
    parentSchema: schema,
  });
  const { type, anyOf } = schema;
  if (type !== undefined && !isOfType(type, value)) return fault('type', { type });
  const [keyword, limit] = brokenLimit(schema, value);
  if (keyword) return fault(keyword, { limit });
  const { pattern } = schema;
  if (pattern !== undefined && typeof value === 'string' && !new RegExp(pattern, 'u').test(value)) {
    return fault('pattern', { pattern: schema.pattern });
  }
  if (schema.enum && !schema.enum.includes(value)) return fault('enum', { allowedValues: schema.enum });
  if (anyOf) {
    const faults = anyOf.map((one) => faultOf(one, value, instancePath));
    if (!faults.includes(undefined)) return faults[0];
  }
  if (type === 'array' && schema.items) {
    for (const [index, item] of (value as unknown[]).entries()) {
      const inner = faultOf(schema.items, item, `${instancePath}/${index}`);
      if (inner) return inner;
    }
  }
  return type === 'object' ? faultOfMembers(schema, value as Values, instancePath, fault) : undefined;
}

function faultOfMembers(
  { properties = {}, required = [], additionalProperties }: Schema,
  value: Values,
  instancePath: string,
  fault: (keyword: string, params: Values) => ValidationFault,
): ValidationFault | undefined {
  const missingProperty = required.find((name) => value[name] === undefined);
  if (missingProperty !== undefined) return fault('required', { missingProperty });
  const additionalProperty = Object.keys(value).find((name) => !Object.hasOwn(properties, name));
  if (additionalProperties === false && additionalProperty !== undefined) {
    return fault('additionalProperties', { additionalProperty });
  }
  for (const [name, schema] of Object.entries(properties)) {
    const member = value[name];
    const inner = member !== undefined && faultOf(schema, member, `${instancePath}/${name}`);
    if (inner) return inner;
    if (schema['x-case-insensitive'] && typeof member === 'string') value[name] = member.toLowerCase();
  }
  return undefined;
}

function isOfType(type: string | readonly string[], value: unknown): boolean {
  if (typeof type !== 'string') return type.some((one) => isOfType(one, value));
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

/** Which limit a value breaks, and what it is. */
function brokenLimit(schema: Schema, value: unknown): [keyword?: string, limit?: number] {
  const size = sizeOf(value);
  const limits =
    typeof value === 'number'
      ? (['maximum', 'minimum'] as const)
      : typeof value === 'string'
        ? (['maxLength', 'minLength'] as const)
        : Array.isArray(value)
          ? (['maxItems', 'minItems'] as const)
          : (['minProperties'] as const);
  for (const keyword of limits) {
    const limit = schema[keyword];
    if (limit === undefined) continue;
    if (keyword.startsWith('max') ? size > limit : size < limit) return [keyword, limit];
  }
  return [];
}

/** A text is as long as it has characters, not code units. */
function sizeOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return [...value].length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

/** What an address says, with the numbers and booleans that its schema knows. */
export function converted({ properties = {} }: Schema, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, fromText(properties[name]?.type, value)]),
  );
}
