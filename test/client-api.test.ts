import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StartBody } from '#contracts';
import type { Operations } from '../libs/client/api.js';
import { clientApi, requestSchemas } from './support/client-api.js';

test.each([
  ["the client's types and routes", '../libs/client/api.ts', clientApi],
  ["the memory ledger's schemas", '../libs/memory-ledger/schemas.ts', requestSchemas],
])('%s are those of the contracts', (_, path, generate) => {
  const file = fileURLToPath(new URL(path, import.meta.url));
  const generated = generate();
  if (process.env.UPDATE_CLIENT_API) writeFileSync(file, generated);
  expect(readFileSync(file, 'utf8')).toBe(generated);
});

test('what the client sends is what the service takes', () => {
  type Sent = Operations['startSession']['body'];
  const toTheService = (body: Sent): StartBody => body;
  const toTheClient = (body: StartBody): Sent => body;
  expect([toTheService, toTheClient]).toHaveLength(2); // it is the compiler that checks
});
