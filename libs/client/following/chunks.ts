import { now } from '../clock.js';

/** The ledger says something on a stream every 15 s: after three times that it is gone. */
const SILENT_MS = 45_000;
/** Most characters of one line or event: no event of a ledger comes near. */
const MOST = 4 << 20;

/**
 * The parts of a stream between separators, as many at a time as came together; an empty list is a sign of life.
 * Rejects when nothing comes for 45 s, when a part is over 4 Mi characters, or when the connection breaks. What
 * stands after the last separator is dropped: it was cut.
 */
export async function* parts(body: ReadableStream<Uint8Array>, separator: string): AsyncGenerator<string[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let heardAt = now();
  const silence = setInterval(() => {
    if (now() - heardAt > SILENT_MS) reader.cancel(new Error('the stream fell silent')).catch(() => {});
  }, SILENT_MS / 3);
  try {
    for (;;) {
      heardAt = now();
      const { done, value } = await reader.read();
      if (done) return;
      const all = (rest + decoder.decode(value, { stream: true })).split(separator);
      rest = all.pop() ?? '';
      if (rest.length > MOST) throw new Error(`a part of the stream has over ${MOST} characters`);
      heardAt = Number.POSITIVE_INFINITY; // who takes its time with the parts is not the ledger
      yield all;
    }
  } finally {
    clearInterval(silence);
    await reader.cancel().catch(() => {});
  }
}

/** The data of server-sent events (WHATWG HTML, section 9.2) as the ledger writes them: one line each. */
export function dataOf(block: string): string | undefined {
  for (const line of block.split('\n')) if (line.startsWith('data:')) return line.slice(5).trimStart();
  return undefined;
}
