import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { type Column, type Described, describeStatement } from './describe-statement.js';
import { formatted } from './formatted.js';
import { NEVER_NULL, UNDESCRIBED } from './never-null.js';
import { typeOfParameter, typeOfValue } from './types-of-postgres.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Rooms with statements of their own. */
const ROOMS = readdirSync(join(root, 'libs')).filter((room) => existsSync(join(root, 'libs', room, 'sql')));

/** The room's file of types. */
const fileOf = (room: string) => `libs/${room}/generated/statements.ts`;

interface StatementFile {
  name: string;
  text: string;
}

function statementsOf(room: string): StatementFile[] {
  const folder = join(root, 'libs', room, 'sql');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql') && !file.startsWith('migrations'))
    .map((file) => ({ name: basename(file, '.sql'), text: readFileSync(join(folder, file), 'utf8') }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What the types were made of, which can be compared without a database. */
function digestOf(statements: readonly StatementFile[]): string {
  const hash = createHash('sha256');
  for (const { name, text } of statements) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex').slice(0, 16);
}

/** Files whose statements have changed since their types were made. */
export function staleStatementTypes(): string[] {
  return ROOMS.filter((room) => {
    const path = join(root, fileOf(room));
    return (
      !existsSync(path) ||
      !readFileSync(path, 'utf8').includes(`Digest of the statements: ${digestOf(statementsOf(room))}.`)
    );
  }).map(fileOf);
}

/** What each statement's rows and parameters are, as this database's Postgres describes them, by file. */
export async function statementTypes(pool: pg.Pool): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const room of ROOMS) {
    const statements = statementsOf(room);
    const types: string[] = [];
    for (const statement of statements) types.push(`${statement.name}: ${await typesOf(pool, statement)};`);
    files.set(fileOf(room), formatted(fileOf(room), fileText(room, statements, types)));
  }
  return files;
}

const fileText = (room: string, statements: readonly StatementFile[], types: readonly string[]) =>
  `// Generated from libs/${room}/sql by \`npm run generate -- --schema\`. Do not edit.
// Digest of the statements: ${digestOf(statements)}.
${types.some((type) => type.includes('ScopeKey')) ? "import type { ScopeKey } from '#session';\n" : ''}
/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
${types.join('\n')}
}
`;

async function typesOf(pool: pg.Pool, { name, text }: StatementFile): Promise<string> {
  const known = UNDESCRIBED[name];
  if (known) return known;
  const described = await describeStatement(pool, text);
  const values = described.parameters.map(typeOfParameter);
  return `{ row: ${rowType(name, text, described)}; values: [${values.join(', ')}] }`;
}

function rowType(name: string, text: string, { columns }: Described): string {
  const never = NEVER_NULL[name] ?? [];
  const optional = outerJoined(text);
  const named = columns.filter((column) => column.name !== '?column?');
  const fields = named.map((column) => {
    const isTaken = column.isNotNull && !optional.has(column.table);
    if (isTaken && never.includes(column.name))
      throw new Error(`${name}.${column.name}: never NULL by itself`);
    const orNull = isTaken || never.includes(column.name) ? '' : ' | null';
    return `${column.name}: ${isScopeKey(column) ? 'ScopeKey' : typeOfValue(column.type)}${orNull}`;
  });
  const missing = never.filter((one) => !columns.some((column) => column.name === one));
  if (missing.length > 0) throw new Error(`${name} has no ${missing.join(' and no ')}`);
  return fields.length === 0 ? 'never' : `{ ${fields.join('; ')} }`;
}

/** The one name of a column whose texts have a type of their own. */
const isScopeKey = ({ name, type }: Column) => name === 'scope_key' && type === 'text';

/** Tables that an outer join may have no row of: what it tells of them may be NULL. */
function outerJoined(text: string): Set<string> {
  const code = text.replace(/--.*$/gm, '');
  if (/\b(right|full)\s+(outer\s+)?join\b/i.test(code)) throw new Error('only left joins are understood');
  const tables = new Set<string>();
  for (const { index } of code.matchAll(/\bleft\s+(?:outer\s+)?join\b/gi)) {
    for (const [, table = ''] of joined(code.slice(index)).matchAll(/ledger\.(\w+)/g)) tables.add(table);
  }
  return tables;
}

/** What is joined: up to `on` or `using`, brackets taken as a whole. */
function joined(code: string): string {
  let depth = 0;
  for (const { 0: token, index } of code.matchAll(/[()]|\b(?:on|using)\b/gi)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0) return code.slice(0, index);
  }
  return code;
}
