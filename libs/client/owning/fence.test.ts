import { Fence, FenceFull, fenceSql } from './fence.js';
import { SessionGuards } from './session-guards.js';

describe('a fence', () => {
  test('lets no epoch through that is lower than one before it', () => {
    const fence = new Fence();
    const asked = [1, 1, 3, 2, 1, 3, 4, 3];
    expect(asked.map((epoch) => fence.accept('document', epoch))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(fence.accept('another', 1)).toBe(true);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '3', undefined])(
    'lets %p not through',
    (epoch) => {
      const fence = new Fence();
      expect(fence.accept('document', epoch as number)).toBe(false);
      expect(fence.accept('document', 0)).toBe(true);
    },
  );

  test('that is full refuses what it does not know, rather than forget what it does', () => {
    const fence = new Fence({ most: 2 });
    fence.accept('one', 5);
    fence.accept('two', 5);
    expect(() => fence.accept('three', 5)).toThrow(FenceFull);
    expect([fence.accept('one', 4), fence.accept('two', 5)]).toEqual([false, true]);
    fence.forget('two');
    expect(fence.accept('three', 5)).toBe(true);
  });

  test('in SQL is made of numbers and a quoted name only', () => {
    expect(fenceSql(3, 'a"b', 2)).toEqual({
      set: '"a""b" = $2::bigint',
      where: 'coalesce("a""b", 0) <= $2::bigint',
      value: 3,
    });
    expect(() => fenceSql(1.5, 'epoch', 1)).toThrow('not an epoch');
    expect(() => fenceSql(1, 'epoch', 0)).toThrow('not a parameter');
  });
});

describe('what is kept for sessions', () => {
  test('is reached by the session it belongs to, and by no other of the same user', async () => {
    // The app's server of the cloud switch: onStop(sessionId, userId) comes late, for the old session.
    const guards = new SessionGuards<{ isOpen: boolean }>();
    const [old, next] = [{ isOpen: true }, { isOpen: true }];
    guards.add('old', old);
    guards.add('next', next);
    const onStop = (sessionId: string, _userId: string) =>
      guards.guard(sessionId, (resource) => {
        resource.isOpen = false;
        guards.remove(sessionId);
      });
    await onStop('old', 'ada');
    await expect(onStop('old', 'ada')).rejects.toMatchObject({ name: 'NotHeld', why: 'not-here' });
    expect([old.isOpen, next.isOpen, guards.size]).toEqual([false, true, 1]);
  });

  test('is bounded, and never replaced', () => {
    const guards = new SessionGuards<number>({ most: 1 });
    guards.add('one', 1);
    expect(() => guards.add('one', 2)).toThrow('known already');
    expect(() => guards.add('two', 2)).toThrow('1 sessions');
    expect([guards.remove('one'), guards.remove('one')]).toEqual([1, undefined]);
  });
});
