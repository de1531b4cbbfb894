import { fileURLToPath } from 'node:url';
import { by, startGuarded } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';

/** What an owner of the ledger can know later: who asked for what, without what it said. */

test('keys, forced commands, erasures, refusals and reads of all tenants stand in the log; plain reads do not', async () => {
  const { service, admin, key, databaseUrl } = await startGuarded();
  const { secret, id } = await key({ permissions: ['read', 'write', 'operate'], principal: 'operator' });
  const { url } = service;
  const headers = by(secret);
  const owner = { environment: 'secret-cloud' };
  const started = await ask<{ session: { sessionId: string } }>(`${url}/v1/sessions`, {
    body: { userId: 'secret-user', owner },
    headers,
  });
  const { sessionId } = started.body.session;
  await ask(`${url}/v1/current?userId=secret-user`, { headers });
  const end = { epoch: 1, origin: { environment: 'x' }, reason: 'r', force: true };
  await ask(`${url}/v1/sessions/${sessionId}/end`, { body: end, headers });
  const commands = [
    { operation: 'startSession', body: { userId: 'secret-user', owner } },
    { operation: 'endSession', sessionId, body: end },
  ];
  await ask(`${url}/v1/commands`, { body: { commands }, headers });
  await ask(`${url}/v1/commands`, { body: { commands: commands.slice(0, 1) }, headers });
  await ask(`${url}/v1/details?userId=secret-user`, { method: 'DELETE', headers });
  await ask(`${url}/v1/feed?partition=0`, { headers });
  for (let count = 0; count < 3; count += 1) await ask(`${url}/v1/feed?partition=0`, { headers: by(admin) });
  for (let count = 0; count < 5; count += 1) await ask(`${url}/v1/chain`, { headers: by('wrong') });
  const body = { tenant: 'red', name: 'new', permissions: ['read'] };
  const made = await ask<{ secret: string }>(`${url}/v1/keys`, { body, headers: by(admin) });
  await service.stop();

  const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
  const child = spawnNode(cli, {
    args: ['access-log', '--since', '1h', '--json'],
    env: { DATABASE_URL: databaseUrl },
  });
  expect((await child.exited).code).toBe(0);
  const rows = child.lines.map((line) => JSON.parse(line));
  const told = rows.map(({ operation, status, count, principal, credential }) =>
    [operation, status, count, principal, credential].join(' '),
  );
  const rootId = admin.slice(4, 14);
  for (const line of [
    `POST /v1/sessions/:sessionId/end 200 1 operator ${id}`,
    `POST /v1/commands 200 1 operator ${id}`,
    `DELETE /v1/details 200 1 operator ${id}`,
    `GET /v1/feed 403 1 operator ${id}`,
    `GET /v1/feed 200 3 root ${rootId}`,
    'GET /v1/chain 401 5  none',
    `POST /v1/keys 201 1 root ${rootId}`,
  ]) {
    expect(told).toContain(line);
  }
  expect(told.filter((line) => line.startsWith('POST /v1/commands'))).toHaveLength(1);
  expect(
    told.filter((line) => line.startsWith('GET /v1/current') || line.startsWith('POST /v1/sessions 2')),
  ).toEqual([]);
  for (const hidden of ['secret-user', 'secret-cloud', sessionId, secret, made.body.secret]) {
    expect(child.lines.join('\n')).not.toContain(hidden);
  }
});
