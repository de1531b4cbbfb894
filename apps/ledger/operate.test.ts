import { Bulk } from './bulk.js';
import type { Caller } from './caller.js';
import { Erasure } from './erasure.js';

// HTTP knows no caller without it until there is access control.
const caller: Caller = { tenant: 'acme', principal: 'somebody', operate: false };
const untouched = undefined as never; // whoever touches it fails with a TypeError
const required = { code: 'operate-required' };

test('erasure, bulk jobs and their progress are for operators only; nothing is looked at for others', async () => {
  const erasure = new Erasure(untouched, untouched, untouched);
  await expect(erasure.erase(caller, 'ada')).rejects.toMatchObject(required);
  const bulk = new Bulk(untouched, untouched, untouched);
  const body = { select: { userId: 'ada' }, action: 'end', reason: 'r' } as const;
  await expect(bulk.order(caller, body, { key: undefined, path: '', body })).rejects.toMatchObject(required);
  const gone = new AbortController().signal;
  await expect(bulk.read(caller, 'id', 0, gone)).rejects.toMatchObject(required);
});
