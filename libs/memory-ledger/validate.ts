import type { ValidationFault } from '#protocol';

/** A JSON schema as far as the ledger's requests have any. */
export interface Schema {
  type?: string;
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

/** The first fault of a value, in the order and the words of Ajv, which the service uses; undefined when it has none. */
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
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value as string)) {
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
    const inner = value[name] !== undefined && faultOf(schema, value[name], `${instancePath}/${name}`);
    if (inner) return inner;
  }
  return undefined;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
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

/** Addresses carry text only: what has to be a number or a boolean is made one, where it says one. */
export function converted({ properties = {} }: Schema, values: Values): Values {
  const convert = (type: string | undefined, value: unknown) => {
    if (typeof value !== 'string' || value === '') return value;
    if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
    if (type !== 'integer' || Number(value) % 1) return value;
    // What is beyond all numbers is too large, and a number all the same.
    return Math.max(-Number.MAX_VALUE, Math.min(Number(value), Number.MAX_VALUE));
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, convert(properties[name]?.type, value)]),
  );
}
