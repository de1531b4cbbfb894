import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clientApi } from './client-api.js';
import { formatted } from './formatted.js';
import { pythonCalls, pythonModels } from './python-client.js';
import { requestSchemas } from './request-schemas.js';
import { staleStatementTypes } from './statement-types.js';

const HELP = `Usage: npm run generate -- [--schema] [--check]

Writes what is generated, into the folders named generated/:
  libs/client/generated/api.ts             types, routes and problems, from libs/api/schemas
  libs/client-python/src/session_ledger/generated/models.py, calls.py  the same for Python, from the OpenAPI document
  libs/memory-ledger/generated/schemas.ts  what requests have to be, from libs/api/schemas
  libs/log/generated/schema.txt            the database's schema, from the migrations; with --schema only
  libs/*/generated/statements.ts           rows and values of the statements in libs/*/sql; with --schema only
libs/dev-stack/generated/kafka-jars.ts asks Maven: libs/dev-stack/generate-kafka-jars.sh writes it.

  --schema  starts a Postgres of its own, and writes what it says of the schema and of the statements, too
  --check   writes nothing, and fails when a file is not what would be written (npm run check does so)
`;
const root = fileURLToPath(new URL('../..', import.meta.url));

const HEADER = '// Generated from libs/api/schemas by `npm run generate`. Do not edit.\n\n';

/** Made from libs/api/schemas alone. */
const PYTHON_HEADER = '# Generated from /openapi.json by `npm run generate`. Do not edit.\n';

const fromContracts = {
  'libs/client/generated/api.ts': clientApi,
  'libs/memory-ledger/generated/schemas.ts': requestSchemas,
  'libs/client-python/src/session_ledger/generated/models.py': pythonModels,
  'libs/client-python/src/session_ledger/generated/calls.py': pythonCalls,
};

async function generate({ schema, check }: { schema: boolean; check: boolean }): Promise<void> {
  const texts = new Map<string, string>();
  for (const [file, make] of Object.entries(fromContracts))
    texts.set(file, file.endsWith('.py') ? PYTHON_HEADER + make() : formatted(file, HEADER + make()));
  if (schema) {
    const { fromSchema } = await import('./schema.js');
    for (const [file, text] of await fromSchema()) texts.set(file, text);
  } else {
    for (const file of staleStatementTypes()) {
      console.error(`${file} is of other statements: run npm run generate -- --schema`);
      process.exitCode = 1;
    }
  }
  for (const [file, text] of texts) {
    const path = join(root, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    if (check) {
      console.error(
        `${file} is not what would be generated: run npm run generate${schema ? ' -- --schema' : ''}`,
      );
      process.exitCode = 1;
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      console.log(`${file} written`);
    }
  }
}

const flag = { type: 'boolean', default: false } as const;
const { values } = parseArgs({ options: { schema: flag, check: flag, help: flag } });
if (values.help) process.stdout.write(HELP);
else await generate(values);
