import { createHash } from 'node:crypto';
import pg from 'pg';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDev, newUser } from '../support/sessions.js';

let service: Service;
beforeAll(async () => {
  service = await startService();
});

/** What version 0.1 kept of a request: the members in the order in which they came. */
function formerly(path: string, body: object): string {
  return createHash('sha256')
    .update(JSON.stringify([path, body]))
    .digest('hex')
    .slice(0, 32);
}

/** Makes all receipts of a table those of a request as version 0.1 kept it; how many there were. */
async function age(table: 'receipts' | 'jobs', path: string, body: object): Promise<number | null> {
  const database = new pg.Client({ connectionString: service.databaseUrl });
  await database.connect();
  const changed = await database.query(`update ledger.${table} set fingerprint = $1`, [formerly(path, body)]);
  await database.end();
  return changed.rowCount;
}

test('the receipt of an earlier version still answers the request that it is for', async () => {
  const body = { userId: newUser(), owner: cloudDev, attributes: { b: 1, a: 2 } };
  const headers = { 'idempotency-key': 'key' };
  const first = await ask<CommandBody>(`${service.url}/v1/sessions`, { body, headers });
  const { sessionId } = first.body.session;
  expect(await age('receipts', '/v1/sessions', body)).toBe(1);
  const again = await ask<CommandBody>(`${service.url}/v1/sessions`, { body, headers });
  expect([again.status, again.body.session.sessionId]).toEqual([201, sessionId]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const other = { ...body, owner: { environment: 'another' } };
  expect((await ask(`${service.url}/v1/sessions`, { body: other, headers })).status).toBe(422);

  const path = `/v1/sessions/${sessionId}/end`;
  const end = { reason: 'done', origin: cloudDev, epoch: 1 };
  const keyed = { body: end, headers: { 'idempotency-key': 'end' } };
  await ask(`${service.url}${path}`, keyed);
  await age('receipts', path, end);
  const ended = await ask(`${service.url}${path}`, keyed);
  expect([ended.status, ended.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
});

test('the key of a bulk job of an earlier version still leads to the job', async () => {
  const body = { select: { userId: newUser() }, reason: 'gone', action: 'end' };
  const headers = { 'idempotency-key': 'bulk' };
  const first = await ask<{ jobId: string }>(`${service.url}/v1/bulk`, { body, headers });
  expect(await age('jobs', '/v1/bulk', body)).toBe(1);
  const again = await ask<{ jobId: string }>(`${service.url}/v1/bulk`, { body, headers });
  expect([again.status, again.body.jobId]).toEqual([202, first.body.jobId]);
  const other = { ...body, reason: 'another' };
  expect((await ask(`${service.url}/v1/bulk`, { body: other, headers })).status).toBe(422);
});
