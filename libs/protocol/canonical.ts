/**
 * JSON that is the same for every text that means the same: members in the order of their names' UTF-16 code units,
 * numbers and texts as JavaScript writes them, no white space (RFC 8785, JSON Canonicalization Scheme). For what
 * JSON.parse gives. It nests no deeper than the stack allows, and costs about what JSON.stringify does.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return `${value}`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? listOf(value) : membersOf(value as Record<string, unknown>);
    default:
      return JSON.stringify(value) ?? 'null';
  }
}

/** Text that JSON.stringify would give as it stands: calling that for each costs more than all the rest. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function listOf(items: readonly unknown[]): string {
  let text = '';
  for (const item of items) text += `${text === '' ? '' : ','}${canonicalJson(item)}`;
  return `[${text}]`;
}

function membersOf(members: Record<string, unknown>): string {
  const names = Object.keys(members);
  if (names.some((name, index) => index > 0 && name < (names[index - 1] as string))) names.sort();
  let text = '';
  for (const name of names) {
    text += `${text === '' ? '' : ','}${quoted(name)}:${canonicalJson(members[name])}`;
  }
  return `{${text}}`;
}
