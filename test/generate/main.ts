import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clientApi } from './client-api.js';
import { pythonCalls, pythonModels } from './python-client.js';
import { requestSchemas } from './request-schemas.js';

const HELP = `Usage: npm run generate -- [--schema] [--check]

Writes what is generated, into the folders named generated/:
  libs/client/generated/api.ts             types, routes and problems, from libs/api/schemas
  libs/client-python/src/session_ledger/generated/models.py, calls.py  the same for Python, from the OpenAPI document
  libs/memory-ledger/generated/schemas.ts  what requests have to be, from libs/api/schemas
  libs/log/generated/schema.txt            the database's schema, from the migrations; with --schema only
libs/dev-stack/generated/kafka-jars.ts asks Maven: libs/dev-stack/generate-kafka-jars.sh writes it.

  --schema  starts a Postgres of its own, and writes schema.txt, too
  --check   writes nothing, and fails when a file is not what would be written (npm run check does so)
`;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Made from libs/api/schemas alone. */
const fromContracts = {
  'libs/client/generated/api.ts': clientApi,
  'libs/memory-ledger/generated/schemas.ts': requestSchemas,
  'libs/client-python/src/session_ledger/generated/models.py': pythonModels,
  'libs/client-python/src/session_ledger/generated/calls.py': pythonCalls,
};

/** As `npm run format` would leave it, so that changes can be read. */
function formatted(file: string, code: string): string {
  if (file.endsWith('.py'))
    return `# Generated from /openapi.json by \`npm run generate\`. Do not edit.\n${code}`;
  const input = `// Generated from libs/api/schemas by \`npm run generate\`. Do not edit.\n\n${code}`;
  const biome = join(root, 'node_modules/.bin/biome');
  return execFileSync(biome, ['format', `--stdin-file-path=${file}`], { cwd: root, input, encoding: 'utf8' });
}

async function generate({ schema, check }: { schema: boolean; check: boolean }): Promise<void> {
  const texts = new Map<string, string>();
  for (const [file, make] of Object.entries(fromContracts)) texts.set(file, formatted(file, make()));
  if (schema) {
    const { databaseSchema } = await import('./schema.js');
    texts.set('libs/log/generated/schema.txt', await databaseSchema());
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
