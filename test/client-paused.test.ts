import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fence, LedgerClient } from '#client';
import { spawnNode } from './support/process.js';
import { startService } from './support/service.js';
import { cloudDebug, newUser } from './support/sessions.js';

const script = fileURLToPath(new URL('support/owner.js', import.meta.url));

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
  const owner = spawnNode(script, { args: [url, address, userId, '2'] });
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
  expect((await other.session(next.id)).status).toBe('active');
  expect(owner.errors).toEqual([]);
  await other[Symbol.asyncDispose]();
  resource.close().closeAllConnections();
}, 40_000);
