import { PassThrough } from 'node:stream';
import { jest } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { EventStream, frameOf } from './event-stream.js';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick'] }));
afterEach(() => jest.useRealTimers());

/** A response whose reader takes nothing unless `read` is called; 16 KiB fit in between. */
function response() {
  const raw = Object.assign(new PassThrough(), { writeHead: () => raw });
  const reply = { raw, hijack: () => {} } as unknown as FastifyReply;
  return { raw, stream: EventStream.open(reply, '0'), read: () => String(raw.read() ?? '') };
}

test('a comment every 15 s keeps the connection alive', () => {
  const { stream, read } = response();
  read();
  jest.advanceTimersByTime(14_999);
  expect(read()).toBe('');
  jest.advanceTimersByTime(1);
  expect(read()).toBe(':\n\n');
  jest.advanceTimersByTime(30_000);
  expect(read()).toBe(':\n\n:\n\n');
  stream.end();
  expect(jest.getTimerCount()).toBe(0);
});

const big = 'x'.repeat(64 << 10);

test('a reader that takes nothing gets no comments, and is dropped after 10 s', async () => {
  const { raw, stream } = response();
  stream.send(frameOf('1', big));
  const waiting = raw.writableLength;
  jest.advanceTimersByTime(5_000);
  const room = [stream.room(), stream.room()];
  jest.advanceTimersByTime(9_999);
  expect([raw.destroyed, raw.writableLength]).toEqual([false, waiting]);
  jest.advanceTimersByTime(1);
  await Promise.all(room);
  expect([raw.destroyed, stream.closed.aborted]).toEqual([true, true]);
  expect(jest.getTimerCount()).toBe(0);
});

test('there is room for the next event once the reader has taken the last', async () => {
  const { raw, stream, read } = response();
  stream.send(frameOf('1', big));
  let isThere = false;
  const room = stream.room().then(() => {
    isThere = true;
  });
  await new Promise(process.nextTick);
  expect(isThere).toBe(false);
  while (read() !== '') await new Promise(process.nextTick);
  await room;
  expect([raw.writableNeedDrain, stream.closed.aborted]).toEqual([false, false]);
  stream.end();
  expect(jest.getTimerCount()).toBe(0);
});
