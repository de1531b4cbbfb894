import { type Answered, type EventsAfter, encodeVector, problemBody, retryAfterOf } from '#api';
import type { Store } from './store.js';

const HEARTBEAT_MS = 15_000;

/** The response that an answer is: JSON, problem+json, or a body that is still being written; without it for HEAD. */
export function respond(answered: Answered, isHead: boolean, store: Store, signal: AbortSignal): Response {
  const { status = 200, headers = {}, json, body, text, bytes, problem, lines, events } = answered;
  const told = (content: () => string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>, type: string) =>
    new Response(isHead ? null : content(), { status, headers: { 'content-type': type, ...headers } });
  if (problem) {
    const retryAfter = retryAfterOf(problem);
    const content = problemBody(problem);
    const retry = retryAfter !== undefined && { 'retry-after': String(retryAfter) };
    const type = { 'content-type': 'application/problem+json' };
    return new Response(isHead ? null : JSON.stringify(content), {
      status: content.status,
      headers: { ...type, ...retry, ...headers },
    });
  }
  if (events)
    return told(
      () => streamOf((gone) => follow(store, events, AbortSignal.any([signal, gone]))),
      'text/event-stream',
    );
  if (lines) return told(() => streamOf(() => lined(lines)), 'application/x-ndjson');
  if (text !== undefined) return told(() => text, 'text/plain; charset=utf-8');
  if (bytes) return told(() => Uint8Array.from(bytes), 'application/octet-stream');
  if (json === undefined && body === undefined) return new Response(null, { status, headers });
  return told(() => json ?? JSON.stringify(body), 'application/json');
}

async function* lined(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

/** Server-sent events after the id with which they begin, until nobody waits for more. */
async function* follow(store: Store, after: EventsAfter, signal: AbortSignal): AsyncGenerator<string> {
  const { first, news } = 'vector' in after ? ofAll(store, after) : ofScope(store, after);
  yield `retry: 1000\n${idLine(first)}\n`;
  let talkedAt = performance.now();
  while (!signal.aborted) {
    store.settle();
    let isNews = false;
    for (const [id, json] of news()) {
      isNews = true;
      talkedAt = performance.now();
      yield `${idLine(id)}data: ${json}\n\n`;
    }
    // What came while the reader took its time with these is no change that `changed` would tell of.
    if (isNews) continue;
    const quietMs = talkedAt + HEARTBEAT_MS - performance.now();
    if (quietMs > 0) await store.changed(quietMs, signal);
    else {
      talkedAt = performance.now();
      yield ':\n\n';
    }
  }
}

const idLine = (id: string | undefined) => (id === undefined ? '' : `id: ${id}\n`);

/** An id to begin with, and what came since it was asked last: ids, where a reader may be told them, and documents. */
interface News {
  first: string | undefined;
  news: () => Iterable<[id: string | undefined, json: string]>;
}

function ofScope(store: Store, after: Extract<EventsAfter, { ids: unknown }>): News {
  const { scopeKey, ids } = after;
  let seen = after.version;
  return {
    first: ids.encode(seen),
    *news() {
      for (const { version, json } of store.scope(scopeKey)?.events.slice(seen) ?? []) {
        seen = version;
        yield [ids.encode(version), json];
      }
    },
  };
}

function ofAll(store: Store, { vector, restores, only }: Extract<EventsAfter, { vector: unknown }>): News {
  const id = () => (only === undefined ? encodeVector(vector, restores) : undefined);
  return {
    first: id(),
    *news() {
      for (const [partition, after] of vector.entries()) {
        for (const { sequence, json, scopeKey } of store.log(partition).slice(after)) {
          vector[partition] = sequence;
          if (only === undefined || scopeKey.startsWith(only)) yield [id(), json];
        }
      }
    },
  };
}

function streamOf(texts: (gone: AbortSignal) => AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  const all = texts(gone.signal);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await all.next();
      if (gone.signal.aborted) return;
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: () => gone.abort(),
  });
}
