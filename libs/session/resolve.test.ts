import { type Candidate, resolve, type Session } from './index.js';

const session = (sessionId: string, more: Partial<Session> = {}) =>
  ({ sessionId, status: 'active', epoch: 3, ...more }) as Session;
const current = session('s-2');
const old = session('s-1', { status: 'ended', epoch: 2 });

const unknownName: Candidate = {};
const name: Candidate = { meant: { session: current, latest: current } };
const nameOfOld: Candidate = { meant: { session: old, latest: current } };
const other: Candidate = { meant: { session: session('s-9'), latest: session('s-9') } };
const reference = (epoch: number, meant = name.meant): Candidate => ({ epoch, ...(meant && { meant }) });

test('candidates that agree mean their session', () => {
  expect(resolve([name])).toEqual({ session: current, unknown: [] });
  expect(resolve([name, reference(3), name])).toEqual({ session: current, unknown: [] });
});

test('a name that nobody has bound is passed over beside one that somebody has', () => {
  expect(resolve([unknownName, name, unknownName])).toEqual({ session: current, unknown: [0, 2] });
  expect(resolve([unknownName])).toEqual({ code: 'unknown-handle', candidate: 0 });
});

test('candidates that mean different sessions are a mismatch', () => {
  expect(resolve([name, other])).toEqual({ code: 'session-mismatch', candidate: 1 });
  expect(resolve([name, unknownName, other])).toEqual({ code: 'session-mismatch', candidate: 2 });
});

test('with override the first decides alone, and has to be known', () => {
  expect(resolve([name, other], true)).toEqual({ session: current, unknown: [] });
  expect(resolve([other, name], true)).toMatchObject({ session: { sessionId: 's-9' } });
  expect(resolve([unknownName, name], true)).toEqual({ code: 'unknown-handle', candidate: 0 });
});

test('what is not current any more is refused, with what is', () => {
  expect(resolve([name, nameOfOld])).toEqual({ code: 'stale-session', candidate: 1, current });
  expect(resolve([reference(2, nameOfOld.meant)])).toEqual({ code: 'stale-session', candidate: 0, current });
  const over: Candidate = { meant: { session: old, latest: old } };
  expect(resolve([over])).toEqual({ code: 'session-ended', candidate: 0 });
});

test('a reference is held to its epoch', () => {
  expect(resolve([reference(3)])).toEqual({ session: current, unknown: [] });
  expect(resolve([reference(2)])).toEqual({ code: 'stale-epoch', candidate: 0, current });
  expect(resolve([reference(4)])).toEqual({ code: 'future-epoch', candidate: 0, current });
  expect(resolve([name, { epoch: 1 }])).toEqual({ code: 'unknown-session', candidate: 1 });
});
