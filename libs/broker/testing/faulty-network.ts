import { connect, createServer, type Server, Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/**
 * A TCP proxy in front of every broker that a client is told of: Kafka advertises its own address, so the
 * client's connections are bent here by a socket factory.
 */
export class FaultyNetwork {
  readonly #servers = new Map<string, Promise<number>>();
  readonly #open = new Set<Socket>();
  readonly #listening = new Set<Server>();
  /** True: requests reach Kafka, answers do not come back. */
  swallowing = false;
  /** True: nobody gets through, and who tries is cut off. */
  down = false;

  readonly factory: ISocketFactory = ({ host, port, onConnect }) => {
    const key = `${host}:${port}`;
    if (!this.#servers.has(key)) this.#servers.set(key, this.#listen(host, port));
    const via = this.#servers.get(key)!;
    // The port is known a moment later than kafkajs wants the socket.
    const socket = new Socket();
    void via.then((to) => socket.connect(to, '127.0.0.1', onConnect));
    return socket.setNoDelay(true);
  };

  /** Ends every connection that there is now. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.down = true;
    this.cut();
    for (const server of this.#listening) server.close();
  }

  async #listen(host: string, port: number): Promise<number> {
    const server = createServer((client) => this.#join(client, host, port));
    this.#listening.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  #join(client: Socket, host: string, port: number): void {
    if (this.down) return void client.destroy();
    const kafka = connect(port, host);
    client.on('data', (chunk) => this.down || kafka.write(chunk));
    kafka.on('data', (chunk) => this.down || this.swallowing || client.write(chunk));
    for (const [one, other] of [
      [client, kafka],
      [kafka, client],
    ] as const) {
      this.#open.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
    }
  }
}
