import { aheadOfLog, decodeVector, encodeVector, lastEventId, ProblemError, ScopeEventIds } from '#protocol';
import { currentOf, type ScopeKey } from '#session';
import { type Serving, scopeKeyOf } from './serving.js';
import type { Store } from './store.js';

type Streams = Pick<Serving, 'feed' | 'feedStream' | 'scopeStream' | 'snapshot'>;

const HEARTBEAT_MS = 15_000;
/** Memory is never restored. */
export const RESTORES = 0;

const sse = { 'content-type': 'text/event-stream' };

/** Serves the log as followers read it: numbered, or as it grows. */
export function streams(store: Store): Streams {
  /** Server-sent events after the id `first`: `news` gives those that came since it was called last. */
  async function* follow(
    first: string,
    news: () => Generator<string>,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    yield `retry: 1000\nid: ${first}\n\n`;
    let talkedAt = performance.now();
    while (!signal.aborted) {
      store.settle();
      let isNews = false;
      for (const text of news()) {
        isNews = true;
        talkedAt = performance.now();
        yield text;
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

  const streamed =
    (first: string, news: () => Generator<string>, signal: AbortSignal) => (gone: AbortSignal) =>
      follow(first, news, AbortSignal.any([signal, gone]));

  function* newsOfScope(
    scopeKey: ScopeKey,
    place: { version: number },
    ids: ScopeEventIds,
  ): Generator<string> {
    for (const { version, json } of store.scope(scopeKey)?.events.slice(place.version) ?? []) {
      place.version = version;
      yield `id: ${ids.encode(version)}\ndata: ${json}\n\n`;
    }
  }

  function* newsOfAll(vector: number[]): Generator<string> {
    for (const [partition, after] of vector.entries()) {
      for (const { sequence, json } of store.log(partition).slice(after)) {
        vector[partition] = sequence;
        yield `id: ${encodeVector(vector, RESTORES)}\ndata: ${json}\n\n`;
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
      if (after > store.log(partition).length) throw aheadOfLog('query.after');
      const events = store.log(partition).slice(after, after + limit);
      const next = events.length === limit ? events.at(-1)?.sequence : undefined;
      const headers = { 'ledger-restores': String(RESTORES) };
      return { headers, body: { events: events.map(({ json }) => JSON.parse(json)), ...(next && { next }) } };
    },
    feedStream({ query, headers, signal }) {
      const last = lastEventId(headers.get('last-event-id'), query.lastEventId);
      const heads = store.heads();
      const vector = last ? decodeVector(last, heads.length, RESTORES) : heads;
      const isAhead = vector.some((sequence, partition) => sequence > (heads[partition] ?? 0));
      if (last && isAhead) throw aheadOfLog(last.place);
      return {
        headers: sse,
        texts: streamed(encodeVector(vector, RESTORES), () => newsOfAll(vector), signal),
      };
    },
    scopeStream({ query, headers, signal }) {
      const scopeKey = scopeKeyOf(query);
      const last = lastEventId(headers.get('last-event-id'), query.lastEventId);
      const ids = new ScopeEventIds(scopeKey, RESTORES);
      const head = store.scope(scopeKey)?.state.version ?? 0;
      const place = { version: last ? ids.decode(last) : head };
      if (last && place.version > head) throw aheadOfLog(last.place);
      const first = ids.encode(place.version);
      return { headers: sse, texts: streamed(first, () => newsOfScope(scopeKey, place, ids), signal) };
    },
    snapshot: () => ({ headers: { 'content-type': 'application/x-ndjson' }, texts: snapshot }),
  };
}
