import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** How often to look, and how long a reader may take nothing of what waits for it, in milliseconds. */
const LOOK_MS = 5_000;
const STALLED_MS = 60_000;

interface Progress {
  /** Bytes that have gone to the system, and that wait in its hands for the rest of a write. */
  sent: number;
  writing: number;
  /** By performance.now(). */
  since: number;
}

/**
 * Drops connections whose readers take nothing for 60 s of what was written to them, whatever it is: pages, snapshots,
 * streams. A reader that takes anything at all, however little, is not dropped; neither is one that has all there is. What
 * has gone to the system is none of this process's memory, so who lets only that wait is not looked at: it is closed as
 * idle when it was answered, and a stream fills the system's buffers with comments in the end.
 */
export function dropStalled(server: Server): void {
  const sockets = new Map<Socket, Progress | undefined>();
  // Under TLS the socket below says nothing of what waits above it.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.set(socket, undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  const looking = setInterval(() => {
    for (const [socket, before] of sockets) {
      const progress = progressOf(socket, before);
      if (progress && performance.now() - progress.since >= STALLED_MS) socket.destroy();
      else sockets.set(socket, progress);
    }
  }, LOOK_MS).unref();
  server.once('close', () => clearInterval(looking));
}

/** Undefined when nothing waits. */
function progressOf(socket: Socket, before: Progress | undefined): Progress | undefined {
  const { writableLength, bytesWritten } = socket;
  if (writableLength === 0) return undefined;
  const sent = bytesWritten - writableLength;
  const writing = writeQueueOf(socket);
  const isSame = before?.sent === sent && before.writing === writing;
  return { sent, writing, since: isSame ? before.since : performance.now() };
}

/** What Node's own time-out of sockets looks at, too: a large write says nothing else until it is through. */
function writeQueueOf(socket: Socket): number {
  return (socket as { _handle?: { writeQueueSize?: number } })._handle?.writeQueueSize ?? 0;
}
