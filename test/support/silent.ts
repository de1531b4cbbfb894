import { connect, type Socket } from 'node:net';

const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** Connects, writes, and reads nothing unless it is told to. It closes nothing by itself. Closed after its test. */
export function silent(url: string, text = ''): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }).pause();
  socket.on('error', () => {}); // being cut off is what is tested
  socket.write(text);
  sockets.add(socket);
  return socket;
}

/** A request as it is written. */
export const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
