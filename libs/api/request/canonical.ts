/**
 * JSON that is the same for every text that means the same: members in the order of their names' UTF-16 code units,
 * numbers and texts as JavaScript writes them, no white space (RFC 8785, JSON Canonicalization Scheme). For what
 * JSON.parse gives. It nests no deeper than the stack allows, and costs about what JSON.stringify does.
 */
export function canonicalJson(value: unknown): string {
  return append('', value);
}

/** Puts all at the end of one text: of pieces of pieces, Node makes one text more slowly. */
function append(text: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return text + quoted(value);
    case 'number':
      return `${text}${value}`;
    case 'object':
      if (value === null) return `${text}null`;
      return Array.isArray(value)
        ? appendList(text, value)
        : appendMembers(text, value as Record<string, unknown>);
    default:
      return text + (JSON.stringify(value) ?? 'null');
  }
}

/** Text that JSON.stringify would give as it stands: calling that for each costs more than all the rest. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function appendList(text: string, items: readonly unknown[]): string {
  let all = `${text}[`;
  for (let index = 0; index < items.length; index++) {
    all = append(index === 0 ? all : `${all},`, items[index]);
  }
  return `${all}]`;
}

function appendMembers(text: string, members: Record<string, unknown>): string {
  const names = Object.keys(members);
  sort(names);
  let all = `${text}{`;
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const beginning = `${index === 0 ? '' : ','}${quoted(name)}:`;
    all = append(all + beginning, members[name]);
  }
  return `${all}}`;
}

/** A few names, as most objects have them, are in order sooner without Array.prototype.sort. */
const FEW = 16;

function sort(names: string[]): void {
  if (names.length > FEW) {
    names.sort();
    return;
  }
  for (let index = 1; index < names.length; index++) {
    const name = names[index] as string;
    let at = index;
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string;
    names[at] = name;
  }
}
