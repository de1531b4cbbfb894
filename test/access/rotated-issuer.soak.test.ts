import { by, startGuarded } from '../support/access/guarded.js';
import { startIssuer } from '../support/access/issuer.js';
import { ask } from '../support/http.js';
import { within } from '../support/until.js';

// Of an unknown key they are read again every 30 s at most.
const { becomes } = within(45_000);

test("an issuer's keys are read again when they have been rotated", async () => {
  const issuer = await startIssuer();
  const { service } = await startGuarded({ env: issuer.env });
  const statusOf = async (token: string) =>
    (await ask(`${service.url}/v1/current?userId=nobody`, { headers: by(token) })).status;
  expect(await statusOf(await issuer.token({}))).toBe(404);
  await issuer.rotate();
  const token = await issuer.token({ sub: 'signed anew' });
  await becomes(() => statusOf(token), 404);
});
