import { jest } from '@jest/globals';
import { SharedPages } from './log-pages.js';

let reads = 0;
const pages = (size = 1) => new SharedPages<string>(() => size);
const page =
  (...events: string[]) =>
  async () => {
    reads += 1;
    return events;
  };
beforeEach(() => {
  reads = 0;
  jest.useFakeTimers({ doNotFake: ['nextTick'] });
});
afterEach(() => jest.useRealTimers());

test('a page is read once for all who ask within two seconds', async () => {
  const shared = pages();
  const asked = [shared.get('a', 1, page('x')), shared.get('a', 1, page('y')), shared.get('b', 1, page('z'))];
  expect(await Promise.all(asked)).toEqual([['x'], ['x'], ['z']]);
  expect(await shared.get('a', 1, page('y'))).toEqual(['x']);
  jest.advanceTimersByTime(2_001);
  expect(await shared.get('a', 1, page('y'))).toEqual(['y']);
  expect(reads).toBe(3);
});

test('one that is not whole, or cannot be read, is read again by the next who asks', async () => {
  const shared = pages();
  const fail = () => Promise.reject(new Error('away'));
  await expect(Promise.all([shared.get('a', 2, fail), shared.get('a', 2, fail)])).rejects.toThrow('away');
  expect(await shared.get('a', 2, page('x'))).toEqual(['x']);
  expect(await shared.get('a', 2, page('x', 'y'))).toEqual(['x', 'y']);
  shared.forgetAll();
  expect(await shared.get('a', 2, page('z', 'z'))).toEqual(['z', 'z']);
});

test('keeps at most 32 MiB: the oldest go first', async () => {
  const shared = pages(12 << 20);
  for (const key of ['a', 'b', 'c']) await shared.get(key, 1, page(key));
  await Promise.resolve();
  expect(await shared.get('c', 1, page('new'))).toEqual(['c']);
  expect(await shared.get('b', 1, page('new'))).toEqual(['b']);
  expect(await shared.get('a', 1, page('new'))).toEqual(['new']);
});
