/** One server-sent event. */
export interface Sent {
  id: string;
  data: Record<string, unknown>;
}

/** A reader of server-sent events, as EventSource is one (WHATWG HTML, section 9.2). */
export interface SseReader {
  readonly status: number;
  readonly contentType: string | null;
  /** The next `count` events; throws when the stream ends or `withinMs` passes (5 s) before they are here. */
  take(count: number, withinMs?: number): Promise<Sent[]>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens a stream; resolves once its head is here. */
export async function openSse(address: string, lastEventId?: string): Promise<SseReader> {
  const gone = new AbortController();
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(address, { headers, signal: gone.signal });
  const events: Sent[] = [];
  let wake = () => {};
  const ended = read(response, (event) => {
    events.push(event);
    wake();
  });
  let isOver = false;
  const over = ended
    .catch(() => {}) // closed by us, or cut by the server: either way nothing more comes
    .then(() => {
      isOver = true;
      wake();
    });
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    async take(count, withinMs = 5_000) {
      const until = performance.now() + withinMs;
      while (events.length < count) {
        const left = until - performance.now();
        if (left <= 0 || isOver) {
          throw new Error(`${events.length} of ${count} events came${isOver ? ', then the end' : ''}`);
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return events.splice(0, count);
    },
    ended: over,
    close: () => gone.abort(),
  };
}

async function read(response: Response, onEvent: (event: Sent) => void): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const id = /^id: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (id !== undefined && data !== undefined) onEvent({ id, data: JSON.parse(data) });
    }
  }
}
