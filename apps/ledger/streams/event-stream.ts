import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { untilWoken } from '#waiting';

export const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Proxies that buffer would hold events back.
  'x-accel-buffering': 'no',
};

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is dropped; it comes back with Last-Event-ID. */
const SLOW_MS = 10_000;

/** What a reader is sent for an event, of which it may be told no id. `json` holds no line break. */
export function frameOf(id: string | undefined, json: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${json}\n\n`;
}

const beginning = (id: string | undefined) => `retry: 1000\n${id === undefined ? '' : `id: ${id}\n`}`;

/**
 * One reader of server-sent events (WHATWG HTML, section 9.2). What it does not take fills no memory beyond
 * the socket's own buffer: nothing more is written before there is room for it.
 */
export class EventStream {
  private readonly closing = new AbortController();
  private readonly heartbeat: NodeJS.Timeout;
  private draining: Promise<void> | undefined;
  private hasNews = false;
  private tell: (() => void) | undefined;

  private constructor(private readonly response: ServerResponse) {
    response.once('close', () => this.end());
    response.once('error', () => this.end()); // the reader is gone; there is nobody to tell
    this.heartbeat = setInterval(() => {
      if (response.writableLength === 0) response.write(':\n\n');
    }, HEARTBEAT_MS);
  }

  /**
   * `id`: where the stream begins. Without data it is no event to a reader, who sends it when it comes back before its
   * first event; with none it would begin at what is the present then, and miss what came in between.
   */
  static open(reply: FastifyReply, id: string | undefined): EventStream {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, SSE_HEADERS);
    raw.write(`${beginning(id)}\n`);
    return new EventStream(raw);
  }

  /** Aborts when the reader is gone or dropped, or the service stops. */
  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /** There may be something to send. */
  wake(): void {
    this.hasNews = true;
    this.tell?.();
  }

  /** Resolves when it was woken since the last time, or is closed. For one caller at a time. */
  async news(): Promise<void> {
    if (!this.hasNews && !this.closed.aborted) {
      await new Promise<void>((resolve) => {
        this.tell = resolve;
      });
    }
    this.tell = undefined;
    this.hasNews = false;
  }

  /** Whether nothing more should be written now. */
  get isFull(): boolean {
    return this.response.writableNeedDrain;
  }

  /** Resolves when there is room for more, or the stream is closed. */
  async room(): Promise<void> {
    while (this.isFull && !this.closed.aborted) {
      this.draining ??= this.drain();
      await this.draining;
    }
  }

  /** Writes whole events, at once: what is left for later would not count as part of the caller's turn. */
  send(frames: string | Uint8Array): void {
    if (this.closed.aborted) return;
    const { socket } = this.response;
    socket?.cork();
    this.response.write(frames);
    socket?.uncork();
  }

  /** One wait for all who want to write. */
  private async drain(): Promise<void> {
    const { response, closed: signal } = this;
    let hasDrained = false;
    await untilWoken({ ms: SLOW_MS, signal }, (wake) => {
      const drained = () => {
        hasDrained = true; // somebody may have filled it again before this is looked at
        wake();
      };
      response.once('drain', drained);
      return () => response.off('drain', drained);
    });
    this.draining = undefined;
    if (hasDrained || signal.aborted) return;
    response.destroy();
    this.end();
  }

  end(): void {
    if (this.closed.aborted) return;
    this.closing.abort();
    this.tell?.();
    clearInterval(this.heartbeat);
    this.response.end();
  }
}
