import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;

const plainOrTls: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  return socket;
};

/**
 * The sockets of one kafkajs client, so that they can be cut. `disconnect()` alone is no end: kafkajs waits
 * for open requests, and a send that is being retried connects again and writes after all.
 */
export class SocketGate {
  readonly #open = new Set<Socket>();
  readonly #factory: ISocketFactory;
  #shut = false;

  constructor(factory: ISocketFactory = plainOrTls) {
    this.#factory = factory;
  }

  readonly factory: ISocketFactory = (args) => {
    if (this.#shut) throw new Error('this Kafka client is closed');
    const socket = this.#factory(args);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** With an error, because kafkajs does not listen to 'close': without one its requests would hang. */
  shut(): void {
    this.#shut = true;
    for (const socket of this.#open) socket.destroy(new Error('this Kafka client is closed'));
  }
}
