import { type Caller, unkeyed } from '../index.js';
import { serving } from './index.js';

// HTTP knows no caller without it until there is access control.
const caller: Caller = { tenant: 'acme', principal: 'somebody', operate: false };
const untouched = undefined as never; // whoever touches it fails with a TypeError
const asked = (more: object) => ({ ...unkeyed(caller), ...more }) as never;

test.each([
  ['eraseDetails', { query: { userId: 'ada' } }],
  ['startBulk', { body: { select: { userId: 'ada' }, action: 'end', reason: 'r' } }],
  ['bulkJob', { params: { jobId: 'id' }, query: {} }],
] as const)('%s is for operators only; nothing is looked at for others', async (id, more) => {
  await expect(serving[id](asked(more), untouched)).rejects.toMatchObject({ code: 'operate-required' });
});
