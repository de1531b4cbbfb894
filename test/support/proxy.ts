import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP proxy on 127.0.0.1 that breaks connections in the ways that networks and servers do. */
export interface TcpProxy {
  port: number;
  /** `127.0.0.1:<port>`, as Kafka's clients want it. */
  address: string;
  /** The same URL, with this proxy for its host and port. */
  reroute(url: string): string;
  /** Resets all connections, and every new one, until `heal`. */
  cut(): void;
  /** Forwards as usual again, and without a delay. Connections that lost an answer to `swallowReplies` are reset. */
  heal(): void;
  /**
   * Requests go on to the server, answers are thrown away and their connections reset, for the next `n`
   * answers. `of` chooses by the last request on that connection (see `isProduce`, `contains`).
   */
  dropNextReplies(n: number, of?: (request: Buffer) => boolean): void;
  /** Requests go on to the server, no answer comes back and connections stay open, until `heal`. */
  swallowReplies(): void;
  /** From now on each answer takes `ms` milliseconds longer. `of` chooses by the last request on that connection. */
  delay(ms: number, of?: (request: Buffer) => boolean): void;
  /** How many answers wait for their time. */
  waiting(): number;
  /** How many answers were thrown away so far. */
  swallowed(): number;
  close(): Promise<void>;
}

interface Link {
  client: Socket;
  server: Socket;
  lastRequest: Buffer;
  /** Answers leave in order, also when the delay changes in between. */
  replies: Promise<void>;
  waiting: number;
  hasHole: boolean;
}

/**
 * Starts a proxy to `target`. `onRequest` sees what is sent there. With `kafka`, the target's address in answers (a broker tells its clients where
 * to connect) is replaced by the proxy's, so that all of a client's connections pass through here.
 */
export async function startProxy({
  target,
  kafka = false,
  onRequest,
}: {
  target: { host: string; port: number };
  kafka?: boolean;
  onRequest?: (request: Buffer) => void;
}): Promise<TcpProxy> {
  const links = new Set<Link>();
  const state = {
    cut: false,
    swallow: false,
    delayMs: 0,
    delayed: anyRequest,
    waiting: 0,
    swallowed: 0,
    drop: 0,
    of: anyRequest,
  };

  const listener = createServer({ noDelay: true }, (client) => {
    if (state.cut) {
      client.on('error', ignore).resetAndDestroy();
      return;
    }
    const server = connect({ ...target, noDelay: true });
    const link: Link = {
      client,
      server,
      lastRequest: Buffer.alloc(0),
      replies: Promise.resolve(),
      waiting: 0,
      hasHole: false,
    };
    links.add(link);
    for (const socket of [client, server]) {
      // Whatever happened to one side happens to the other; the parties under test report it.
      socket.on('error', ignore).on('close', () => reset(link));
    }
    client.on('data', (request) => {
      link.lastRequest = request;
      onRequest?.(request);
      server.write(request);
    });
    server.on('data', (reply) => onReply(link, reply));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  function reset(link: Link): void {
    links.delete(link);
    link.client.resetAndDestroy();
    link.server.resetAndDestroy();
  }

  function onReply(link: Link, reply: Buffer): void {
    const drop = state.drop > 0 && state.of(link.lastRequest);
    if (drop || state.swallow) {
      state.swallowed += 1;
      link.hasHole = true;
      if (!drop) return;
      state.drop -= 1;
      reset(link);
      return;
    }
    const bytes = kafka ? withPort(reply, target, port) : reply;
    const delayMs = state.delayed(link.lastRequest) ? state.delayMs : 0;
    if (delayMs === 0 && link.waiting === 0) link.client.write(bytes);
    else replyLater(link, bytes, delayMs);
  }

  function replyLater(link: Link, bytes: Buffer, delayMs: number): void {
    const due = performance.now() + delayMs;
    link.waiting += 1;
    state.waiting += 1;
    link.replies = link.replies.then(async () => {
      await sleep(Math.max(0, due - performance.now()));
      link.waiting -= 1;
      state.waiting -= 1;
      if (!link.client.destroyed) link.client.write(bytes);
    });
  }

  return {
    port,
    address: `127.0.0.1:${port}`,
    reroute(url) {
      const through = new URL(url);
      through.host = `127.0.0.1:${port}`;
      return through.href;
    },
    cut() {
      state.cut = true;
      for (const link of links) reset(link);
    },
    heal() {
      Object.assign(state, { cut: false, swallow: false, drop: 0, delayMs: 0 });
      for (const link of links) if (link.hasHole) reset(link);
    },
    dropNextReplies(n, of = anyRequest) {
      Object.assign(state, { drop: n, of });
    },
    swallowReplies() {
      state.swallow = true;
    },
    delay(ms, of = anyRequest) {
      Object.assign(state, { delayMs: ms, delayed: of });
    },
    waiting: () => state.waiting,
    swallowed: () => state.swallowed,
    async close() {
      state.cut = true;
      for (const link of links) reset(link);
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** For `dropNextReplies` and `delay`: requests that hold this text, such as `COMMIT`. */
export function contains(text: string): (request: Buffer) => boolean {
  return (request) => request.includes(text);
}

/** For `dropNextReplies`: Kafka's Produce requests (int32 length, then int16 API key 0). */
export function isProduce(request: Buffer): boolean {
  return request.length >= 6 && request.readInt16BE(4) === 0;
}

/** In Kafka's answers a broker is its host as a string, then an int32 port: replaced in place, same length. */
function withPort(reply: Buffer, target: { host: string; port: number }, port: number): Buffer {
  const broker = (of: number) => {
    const bytes = Buffer.from(`${target.host}....`, 'latin1');
    bytes.writeInt32BE(of, bytes.length - 4);
    return bytes;
  };
  const [from, to] = [broker(target.port), broker(port)];
  for (let at = reply.indexOf(from); at !== -1; at = reply.indexOf(from, at + to.length)) to.copy(reply, at);
  return reply;
}

function anyRequest(_request: Buffer): boolean {
  return true;
}

function ignore(): void {}
