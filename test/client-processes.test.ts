import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fence, LedgerClient } from '#client';
import { spawnNode } from './support/process.js';
import { startService } from './support/service.js';
import { cloudDebug, newUser } from './support/sessions.js';

const scriptOf = (name: string) => fileURLToPath(new URL(`support/${name}.js`, import.meta.url));

test('an owner that was stopped for 10 s begins nothing when it wakes, and what it had begun is fenced off', async () => {
  const { url } = await startService();
  const fence = new Fence();
  const writes: { epoch: number; accepted: boolean }[] = [];
  const resource = createServer((request, response) => {
    const epoch = Number(new URL(request.url ?? '', 'http://resource').searchParams.get('epoch'));
    const accepted = fence.accept('document', epoch);
    writes.push({ epoch, accepted });
    response.writeHead(accepted ? 200 : 409).end();
  }).listen(0, '127.0.0.1');
  await once(resource, 'listening');
  const address = `http://127.0.0.1:${(resource.address() as AddressInfo).port}`;
  const userId = newUser();
  const owner = spawnNode(scriptOf('owner'), { args: [url, address, userId, '2'] });
  await owner.waitForLine(/^written 200/);

  // In the middle of a write: it has begun, and the resource has not heard of it.
  const begun = () => owner.lines.filter((line) => line.startsWith('begun')).length;
  for (const before = begun(); begun() === before; ) await pause(1);
  owner.child.kill('SIGSTOP');
  await pause(10_000);
  expect(await new LedgerClient({ url }).current({ userId })).toMatchObject({ status: 'released', epoch: 2 });
  const other = new LedgerClient({ url });
  const next = await other.start({ userId, owner: cloudDebug, lease: { seconds: 60 } });
  expect(await next.run(({ epoch }) => fence.accept('document', epoch))).toBe(true);

  const [asleep, written] = [owner.lines.length, writes.length];
  owner.child.kill('SIGCONT');
  await owner.waitForLine(/^over/);
  const awake = owner.lines.slice(asleep);
  expect(awake.filter((line) => line.startsWith('begun'))).toEqual([]);
  expect(awake.find((line) => line.startsWith('not begun'))).toMatch(/^not begun (lease-over|lost)$/);
  expect(awake.find((line) => line.startsWith('lost'))).toMatch(/^lost (lapsed|superseded) /);
  expect(writes.length).toBeGreaterThan(written);
  expect(new Set(writes.slice(written).map(({ epoch, accepted }) => `${epoch} ${accepted}`))).toEqual(
    new Set(['1 false']),
  );
  expect(writes.slice(0, written).every(({ accepted }) => accepted)).toBe(true);
  expect((await other.session(next.sessionId)).status).toBe('active');
  expect(owner.errors).toEqual([]);
  await other[Symbol.asyncDispose]();
  resource.close().closeAllConnections();
}, 40_000);

test('each process of a bridge has an automatic session of its own', async () => {
  const { url } = await startService();
  const processes = [1, 2].map(() => spawnNode(scriptOf('automatic'), { args: [url] }));
  const ids = await Promise.all(
    processes.map(async ({ exited, lines, errors }) => {
      expect(await exited).toEqual({ code: 0, signal: null });
      expect(errors).toEqual([]);
      const id = /^automatic ([0-9a-f-]{36})$/.exec(lines[0] ?? '')?.[1];
      expect(lines[1]).toBe(`again ${id} 1`);
      return id as string;
    }),
  );
  expect(new Set(ids).size).toBe(2);
  const ledger = new LedgerClient({ url });
  const statuses = await Promise.all(ids.map(async (id) => (await ledger.session(id)).status));
  expect(statuses).toEqual(['released', 'released']);
});

test('SIGTERM releases what a process holds, and ends it', async () => {
  const { url } = await startService();
  const owner = spawnNode(scriptOf('terminated'), { args: [url] });
  const started = await owner.waitForLine(/^started/);
  expect(await owner.kill('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
  const found = await new LedgerClient({ url }).session(started.split(' ')[1] as string);
  expect([found.status, found.expiresAt]).toEqual(['released', undefined]);
});
