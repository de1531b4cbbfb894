import { callerOf } from '#api';
import type { Asking } from './asking.js';
import { Limits } from './limits.js';

const askingOf = (tenant: string): Asking => ({
  caller: callerOf({ tenant, principal: 'worker', permissions: ['write'], ledgerWide: false }),
  name: 'a key',
  limits: { commands: 20, reads: undefined },
  isOver: () => false,
});

test('what the limit of the tenant refuses takes nothing from that of the key', () => {
  const limits = new Limits({ commands: 5, reads: undefined });
  expect(limits.take(askingOf('red'), 'commands', 5)).toBeUndefined();
  for (let times = 0; times < 10; times += 1)
    expect(limits.take(askingOf('red'), 'commands', 5)).toMatchObject({ policy: 'tenant-commands' });
  expect(limits.take(askingOf('blue'), 'commands', 5)).toBeUndefined();
  expect(limits.take(askingOf('green'), 'commands', 5)).toBeUndefined();
  expect(limits.take(askingOf('white'), 'commands', 5)).toBeUndefined();
  expect(limits.take(askingOf('black'), 'commands', 5)).toMatchObject({ policy: 'key-commands' });
});
