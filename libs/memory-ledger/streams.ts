import { decodeVector, encodeVector, ProblemError } from '#protocol';
import { currentOf, type ScopeKey } from '#session';
import { type Serving, scopeKeyOf } from './serving.js';
import type { Store } from './store.js';

type Streams = Pick<Serving, 'feed' | 'feedStream' | 'scopeStream' | 'snapshot'>;

const HEARTBEAT_MS = 15_000;
const sse = { 'content-type': 'text/event-stream' };

/** Serves the log as followers read it: numbered, or as it grows. */
export function streams(store: Store): Streams {
  /** Server-sent events: `news` gives those that came since it was called last. */
  async function* follow(news: () => Generator<string>, signal: AbortSignal): AsyncGenerator<string> {
    yield 'retry: 1000\n\n';
    let talkedAt = performance.now();
    while (!signal.aborted) {
      store.settle();
      for (const text of news()) {
        talkedAt = performance.now();
        yield text;
      }
      const quietMs = talkedAt + HEARTBEAT_MS - performance.now();
      if (quietMs > 0) await store.changed(quietMs, signal);
      else {
        talkedAt = performance.now();
        yield ':\n\n';
      }
    }
  }

  const streamed = (news: () => Generator<string>, signal: AbortSignal) => (gone: AbortSignal) =>
    follow(news, AbortSignal.any([signal, gone]));

  function* newsOfScope(scopeKey: ScopeKey, place: { version: number }): Generator<string> {
    for (const { version, json } of store.scope(scopeKey)?.events.slice(place.version) ?? []) {
      place.version = version;
      yield `id: ${version}\ndata: ${json}\n\n`;
    }
  }

  function* newsOfAll(vector: number[]): Generator<string> {
    for (const [partition, after] of vector.entries()) {
      for (const { sequence, json } of store.log(partition).slice(after)) {
        vector[partition] = sequence;
        yield `id: ${encodeVector(vector)}\ndata: ${json}\n\n`;
      }
    }
  }

  async function* snapshot(): AsyncGenerator<string> {
    const scopes = store.scopes();
    for (const [partition, sequence] of store.heads().entries()) {
      yield `${JSON.stringify({ position: { partition, sequence } })}\n`;
      for (const scope of scopes) {
        const session = scope.partition === partition ? currentOf(scope.state) : undefined;
        if (session) yield `${JSON.stringify({ session: store.details.shown(session) })}\n`;
      }
    }
    yield '{"complete":true}\n';
  }

  return {
    feed({ query: { partition, after = 0, limit = 100 } }) {
      if (partition >= store.partitions) {
        throw new ProblemError('invalid-request', `query.partition has to be below ${store.partitions}`);
      }
      const events = store.log(partition).slice(after, after + limit);
      const next = events.length === limit ? events.at(-1)?.sequence : undefined;
      return { body: { events: events.map(({ json }) => JSON.parse(json)), ...(next && { next }) } };
    },
    feedStream({ headers, signal }) {
      const last = headers.get('last-event-id');
      const heads = store.heads();
      const vector = last ? decodeVector(last, heads.length) : heads;
      if (vector.some((sequence, partition) => sequence > (heads[partition] ?? 0))) throw ahead();
      return { headers: sse, texts: streamed(() => newsOfAll(vector), signal) };
    },
    scopeStream({ query, headers, signal }) {
      const scopeKey = scopeKeyOf(query);
      const last = headers.get('last-event-id');
      if (last && !/^\d{1,15}$/.test(last)) {
        throw new ProblemError('invalid-request', 'header.last-event-id is not an id of this stream');
      }
      const head = store.scope(scopeKey)?.state.version ?? 0;
      const place = { version: last ? Number(last) : head };
      if (place.version > head) throw ahead();
      return { headers: sse, texts: streamed(() => newsOfScope(scopeKey, place), signal) };
    },
    snapshot: () => ({ headers: { 'content-type': 'application/x-ndjson' }, texts: snapshot }),
  };
}

function ahead(): ProblemError {
  return new ProblemError(
    'invalid-request',
    'header.last-event-id is ahead of the log: it is of another ledger, or this one was restored; read all of it anew',
  );
}
