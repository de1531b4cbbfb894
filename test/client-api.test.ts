import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StartBody } from '#contracts';
import type { Operations } from '../libs/client/api.js';
import { clientApi } from './support/client-api.js';

const file = fileURLToPath(new URL('../libs/client/api.ts', import.meta.url));

test("the client's types and routes are those of the contracts", () => {
  const generated = clientApi();
  if (process.env.UPDATE_CLIENT_API) writeFileSync(file, generated);
  expect(readFileSync(file, 'utf8')).toBe(generated);
});

test('what the client sends is what the service takes', () => {
  type Sent = Operations['startSession']['body'];
  const toTheService = (body: Sent): StartBody => body;
  const toTheClient = (body: StartBody): Sent => body;
  expect([toTheService, toTheClient]).toHaveLength(2); // it is the compiler that checks
});
