import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { jest } from '@jest/globals';
import { dropStalled } from './stalled.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** A server with one connection. */
function connected() {
  const server = new EventEmitter();
  const socket = Object.assign(new EventEmitter(), {
    writableLength: 0,
    bytesWritten: 0,
    _handle: { writeQueueSize: 0 },
    destroyed: false,
    destroy() {
      socket.destroyed = true;
      socket.emit('close');
    },
  });
  dropStalled(server as unknown as Server);
  server.emit('connection', socket);
  return { server, socket };
}

test('a reader that takes nothing of what waits for it is dropped after 60 s', () => {
  const { socket } = connected();
  Object.assign(socket, { writableLength: 100, bytesWritten: 500 });
  jest.advanceTimersByTime(60_000);
  expect(socket.destroyed).toBe(false);
  socket.bytesWritten += 10; // more is written, and nothing gets away
  socket.writableLength += 10;
  jest.advanceTimersByTime(10_000);
  expect(socket.destroyed).toBe(true);
});

test.each<[string, (socket: ReturnType<typeof connected>['socket']) => void]>([
  ['takes a little of it now and then', (socket) => void socket.writableLength--],
  ['takes a little of a large write', (socket) => void socket._handle.writeQueueSize--],
])('a reader that %s is not', (_, take) => {
  const { socket } = connected();
  Object.assign(socket, { writableLength: 100, bytesWritten: 500, _handle: { writeQueueSize: 100 } });
  for (let minutes = 0; minutes < 10; minutes++) {
    jest.advanceTimersByTime(55_000);
    take(socket);
  }
  expect(socket.destroyed).toBe(false);
});

test('neither is one that has all there is; and nothing goes on when the server is closed', () => {
  const { server, socket } = connected();
  jest.advanceTimersByTime(600_000);
  expect(socket.destroyed).toBe(false);
  server.emit('close');
  expect(jest.getTimerCount()).toBe(0);
});
