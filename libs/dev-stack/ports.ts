import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { DevStackError } from './errors.js';

/** A TCP port of 127.0.0.1 that nobody listened on a moment ago. Nothing reserves it: use it soon. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Resolves when `port` of 127.0.0.1 can be listened on.
 * @throws DevStackError naming the port and the environment variable that moves it.
 */
export async function requireFreePort(port: number, part: string, variable: string): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
    throw new DevStackError(
      `${part}: port ${port} of 127.0.0.1 ${why}; free it, or choose another with ${variable}`,
      { cause: error },
    );
  }
  server.close();
  await once(server, 'close');
}
