/** What node-postgres makes of a value; libs/postgres makes numbers of whole ones. */
const VALUES: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  oid: 'number',
  'double precision': 'number',
  text: 'string',
  uuid: 'string',
  name: 'string',
  numeric: 'string',
  xid8: 'string',
  bytea: 'Buffer',
  'timestamp with time zone': 'Date',
  void: "''",
};

/** What is taken for a parameter, besides. */
const ALSO: Readonly<Record<string, readonly string[]>> = { 'timestamp with time zone': ['string'] };

export function typeOfValue(type: string): string {
  const [, element] = /^(text|integer)\[\]$/.exec(type) ?? [];
  const found = element === undefined ? VALUES[type] : `${VALUES[element]}[]`;
  if (found === undefined) throw new Error(`${type} is not known: libs/postgres has to say how it is read`);
  return found;
}

/** Arrays are written in binary form, or by node-postgres. */
export function typeOfParameter(type: string): string {
  if (!type.endsWith('[]')) return [typeOfValue(type), ...(ALSO[type] ?? [])].join(' | ');
  const element = VALUES[type.slice(0, -2)];
  // Of a type of the schema: rows that libs/postgres writes.
  return element === undefined || element === 'Buffer' ? 'Buffer' : `Buffer | readonly ${element}[]`;
}
