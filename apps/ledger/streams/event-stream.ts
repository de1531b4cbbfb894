import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is dropped; it comes back with Last-Event-ID. */
const SLOW_MS = 10_000;

/**
 * One reader of server-sent events (WHATWG HTML, section 9.2). What it does not take fills no memory beyond
 * the socket's own buffer: the next event is not read before there is room for it.
 */
export class EventStream {
  private readonly closing = new AbortController();
  private readonly heartbeat: NodeJS.Timeout;

  private constructor(private readonly response: ServerResponse) {
    response.once('close', () => this.end());
    response.once('error', () => this.end()); // the reader is gone; there is nobody to tell
    this.heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, HEARTBEAT_MS);
  }

  static open(reply: FastifyReply): EventStream {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Proxies that buffer would hold events back.
      'x-accel-buffering': 'no',
    });
    raw.write('retry: 1000\n\n');
    return new EventStream(raw);
  }

  /** Aborts when the reader is gone or dropped, or the service stops. */
  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /** Writes one event and waits until there is room for the next. `json` holds no line break. */
  async send(id: string, json: string): Promise<void> {
    if (this.closed.aborted) return;
    if (this.response.write(`id: ${id}\ndata: ${json}\n\n`)) return;
    const slow = AbortSignal.any([this.closed, AbortSignal.timeout(SLOW_MS)]);
    try {
      await once(this.response, 'drain', { signal: slow });
    } catch {
      this.response.destroy(); // too slow, or gone
      this.end();
    }
  }

  end(): void {
    if (this.closed.aborted) return;
    this.closing.abort();
    clearInterval(this.heartbeat);
    this.response.end();
  }
}
