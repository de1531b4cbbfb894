import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const read = (path: string) => readFileSync(path, 'utf8');
const root = new URL('../../', import.meta.url);

/** The inside of a package, as it was read when packet.ts was written against it: digests of its code. */
interface Inside {
  module: string;
  /** By method; a module as a whole under its own name. */
  digests: Record<string, string>;
}

// What changes here says: read the new code, and what packet.ts (`Wire`, `Packet`) makes of it. Where that still holds,
// the new digest goes here; packet.test.ts tries it against a real Postgres.
const insides: Inside[] = [
  {
    module: 'pg/lib/connection',
    digests: {
      parse: '9e2a324e9d8b992c',
      describe: '2f67be7dca7c5b56',
      bind: '7cc0e537695b84f7',
      execute: '96578cd556ce11d8',
      sync: 'c3ab01942b9869ed',
      _send: '690212269bcb967b',
    },
  },
  {
    // Calls a query's submit() and handle…() methods, puts its time-out around its callback, and keeps the names of
    // statements that Postgres has prepared.
    module: 'pg/lib/client',
    digests: {
      query: '15395bd933d53aab',
      _pulseQueryQueue: '8ebce0cc040c5eee',
      _getActiveQuery: 'a6a9f7ce182e38c7',
      _errorAllQueries: '7e1bc8f149c1ac7f',
      _handleParseComplete: '3b60c2e513e8fbe0',
      _handleRowDescription: 'd7a141a546a6658f',
      _handleDataRow: '55a92885ad9a5892',
      _handleCommandComplete: '646be36f82daca6b',
      _handleReadyForQuery: 'faf76d24b32358d3',
      _handleErrorMessage: '1e81f13d045f0c3f',
      _handleErrorEvent: '8f5a7179ff0e204f',
    },
  },
  { module: 'pg-protocol/dist/serializer', digests: { 'pg-protocol/dist/serializer': 'a0e3504e7e487251' } },
  { module: 'pg-protocol/dist/parser', digests: { 'pg-protocol/dist/parser': '13a522dd39666ac5' } },
];

const digest = (code: string) =>
  createHash('sha256').update(code.replace(/\s+/g, ' ')).digest('hex').slice(0, 16);

function codeOf(module: string, part: string): string {
  if (part === module) return read(require.resolve(module));
  return String(require(module).prototype[part] ?? 'gone');
}

test('pg is pinned to the version whose insides packet.ts uses', () => {
  const { dependencies } = JSON.parse(read(new URL('package.json', root).pathname));
  expect(dependencies.pg).toBe(JSON.parse(read(require.resolve('pg/package.json'))).version);
});

test.each(insides)('$module is as packet.ts knows it', ({ module, digests }) => {
  const changed = Object.entries(digests)
    .filter(([part, known]) => digest(codeOf(module, part)) !== known)
    .map(([part]) => `${part} (now ${digest(codeOf(module, part))})`);
  const why = `${module} has changed: read these beside libs/postgres/packet.ts, then note their digests here`;
  expect({ [why]: changed }).toEqual({ [why]: [] });
});
