/** One server-sent event. */
export interface Sent {
  id: string;
  data: Record<string, unknown>;
}

/** A reader of server-sent events, as EventSource is one (WHATWG HTML, section 9.2). Closed after its test. */
export interface SseReader {
  readonly status: number;
  readonly contentType: string | null;
  /** Where the stream says that it begins. */
  readonly firstId: string;
  /** The last id that came, with an event or without: what an EventSource sends when it comes back. */
  readonly lastEventId: string;
  /** The next `count` events; throws when the stream ends or `withinMs` passes (5 s) before they are here. */
  take(count: number, withinMs?: number): Promise<Sent[]>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Those that were opened: a test that fails before it closes its readers fails no other one. */
const opened = new Set<SseReader>();
afterEach(() => {
  for (const reader of opened) reader.close();
  opened.clear();
});

/** Opens a stream; resolves once it has said where it begins. */
export async function openSse(
  address: string,
  lastEventId?: string,
  send: typeof fetch = fetch,
): Promise<SseReader> {
  const gone = new AbortController();
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await send(address, { headers, signal: gone.signal });
  const events: Sent[] = [];
  let wake = () => {};
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let firstId = '';
  let lastId = lastEventId ?? '';
  const ended = read(response, ({ id, data }) => {
    lastId = id ?? lastId;
    firstId ||= lastId;
    if (data !== undefined) events.push({ id: lastId, data: JSON.parse(data) });
    begin();
    wake();
  });
  let isOver = false;
  const over = ended
    .catch(() => {}) // closed by us, or cut by the server: either way nothing more comes
    .then(() => {
      isOver = true;
      begin();
      wake();
    });
  await begun;
  const reader: SseReader = {
    firstId,
    get lastEventId() {
      return lastId;
    },
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
  opened.add(reader);
  return reader;
}

/** What one block of a stream says. */
interface Block {
  id: string | undefined;
  data: string | undefined;
}

async function read(response: Response, onBlock: (block: Block) => void): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      onBlock({ id: /^id: (.*)$/m.exec(block)?.[1], data: /^data: (.*)$/m.exec(block)?.[1] });
    }
  }
}
