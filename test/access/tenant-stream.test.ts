import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { newUser } from '../support/sessions.js';
import { openSse } from '../support/sse.js';

/** All that happens in a tenant, as it happens, and nothing of what happens beside it. */

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded();
});

const start = async (secret: string, users: readonly string[]) => {
  const commands = users.map((userId) => ({
    operation: 'startSession',
    body: { userId, owner: { environment: 'cloud' } },
  }));
  const { status } = await ask(`${guarded.service.url}/v1/commands`, {
    body: { commands },
    headers: by(secret),
  });
  expect(status).toBe(200);
};
const open = (secret: string) =>
  openSse(`${guarded.service.url}/v1/stream/tenant`, undefined, (address, init) =>
    fetch(address, { ...init, headers: by(secret) }),
  );

test('carries the events of all scopes of the tenant, and none of others', async () => {
  const red = await guarded.key({});
  const blue = await guarded.key({ tenant: 'blue' });
  // Its key would begin as those of red, were it not for the slash.
  const redder = await guarded.key({ tenant: 'red2' });
  const reader = await open(red.secret);
  const others = Array.from({ length: 500 }, newUser);
  const own = Array.from({ length: 20 }, newUser);
  await start(red.secret, own.slice(0, 10));
  for (const secret of [blue.secret, redder.secret]) await start(secret, others);
  await start(red.secret, own.slice(10));
  const events = await reader.take(20);
  expect(events.map(({ data }) => data.subject).sort()).toEqual(
    own.map((user) => `red/${user}/default`).sort(),
  );
  // An id would tell how much there is of others.
  expect([reader.firstId, reader.lastEventId]).toEqual(['', '']);
  await start(blue.secret, others.slice(0, 5));
  await start(red.secret, own.slice(0, 1));
  const next = await reader.take(2);
  expect(next.every(({ data }) => data.subject === `red/${own[0]}/default`)).toBe(true);
  reader.close();
});

test('needs the permission read, and ends with its key', async () => {
  const { secret: writer } = await guarded.key({ permissions: ['write'] });
  const refused = await ask(`${guarded.service.url}/v1/stream/tenant`, { headers: by(writer) });
  expect([refused.status, refused.body.type]).toEqual([403, '/problems/permission-required']);
  const { secret, id } = await guarded.key({ permissions: ['read'] });
  const reader = await open(secret);
  await guarded.revoke(id);
  await reader.ended;
});
