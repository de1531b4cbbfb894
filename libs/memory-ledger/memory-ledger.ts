import { LedgerClient, type LedgerOptions, routes } from '#client';
import {
  type Command,
  type Epoch,
  type LeaseTerms,
  type Owner,
  type ScopeKey,
  type Session,
  scopeKey,
} from '#session';
import { type Answer, page, problem, problemAnswer, respond, streamed } from './responses.js';
import { type Done, Store } from './store.js';

export interface MemoryLedgerOptions {
  /** 16 unless set. */
  partitions?: number;
}

type Body = Record<string, unknown>;
type Query = URLSearchParams;
type Draft = Parameters<Store['execute']>[0];

const issued = { principal: 'anonymous', operate: true };
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * A ledger in this process's memory, for unit tests: the service's own rules behind the service's own routes. It
 * keeps everything it was told, checks requests less strictly, and is gone with the process.
 */
export class MemoryLedger {
  readonly #store: Store;
  readonly #answers = new Map<string, { request: string; answer: Answer }>();
  #skew = 0;
  #isDown = false;

  constructor({ partitions = 16 }: MemoryLedgerOptions = {}) {
    this.#store = new Store(partitions, () => Date.now() + this.#skew);
  }

  /** A client of this ledger. */
  client(options: Omit<LedgerOptions, 'url' | 'fetch'> = {}): LedgerClient {
    return new LedgerClient({ ...options, url: 'http://memory.ledger', fetch: this.fetch });
  }

  /** Lets time pass at the ledger, so that leases run out; clients keep their own. */
  advance(seconds: number): void {
    this.#skew += seconds * 1_000;
  }

  /** While it is down, connections fail. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown;
  }

  /** In place of the global one, for a LedgerClient. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    if (this.#isDown) throw new TypeError('fetch failed', { cause: new Error('the memory ledger is down') });
    const url = new URL(String(input));
    const body = init.body === undefined ? {} : JSON.parse(String(init.body));
    const headers = new Headers(init.headers);
    return this.#serve(init.method ?? 'GET', url, body, headers, signal);
  };

  async #serve(
    method: string,
    url: URL,
    body: Body,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<Response> {
    const key = headers.get('idempotency-key');
    const request = JSON.stringify([url.pathname, body]);
    const before = key === null ? undefined : this.#answers.get(key);
    if (before && before.request !== request) return problem('key-reused');
    if (before) return respond(before.answer, { 'idempotency-replayed': 'true' });
    for (const [id, route] of Object.entries(routes)) {
      const match = new RegExp(`^${route.path.replace(/:\w+/g, '([^/]+)')}$`).exec(url.pathname);
      if (!match || route.method !== method) continue;
      if (method === 'GET') return this.#read(id, match[1], url.searchParams, headers, signal);
      const answer = this.#command(id, match[1], body);
      if (key !== null && answer.status < 400 && !id.startsWith('renew'))
        this.#answers.set(key, { request, answer });
      return respond(answer);
    }
    return problem('not-found');
  }

  #command(id: string, sessionId: string | undefined, body: Body): Answer {
    if ('handles' in body) return problemAnswer('invalid-request', 'the ledger in memory keeps no handles');
    if (id === 'startSession') return this.#start(body);
    if (id === 'renewLeases') {
      const results = (body as unknown as { sessionId: string; epoch: Epoch }[]).map((one) => {
        const { body: result, status } = this.#renew(one.sessionId, one.epoch);
        return status === 200 ? result : { sessionId: one.sessionId, problem: result };
      });
      return { status: 200, body: { results } };
    }
    if (sessionId === undefined || !idPattern.test(sessionId)) return problemAnswer('invalid-request');
    if (id === 'renewLease') return this.#renew(sessionId, body.epoch as Epoch);
    const of = this.#store.scopeOf(sessionId);
    if (of === undefined) return problemAnswer('unknown-session');
    const draft = this.#draftOf(id, sessionId, of, body);
    return draft ? this.#answer(this.#store.execute(draft, of)) : problemAnswer('not-found');
  }

  #draftOf(id: string, sessionId: string, of: ScopeKey, body: Body): Draft | undefined {
    const named = { ...body, ...issued, sessionId } as never as object;
    switch (id) {
      case 'activateSession':
        return { type: 'ActivateSession', ...named } as Draft;
      case 'rotateSession': {
        const handle = body.successorHandle as { kind: string } | undefined;
        const hashed = handle && { successorHandle: { kind: handle.kind, hash: JSON.stringify(handle) } };
        const successorId = this.#store.newSessionId(sessionId);
        return { type: 'RotateSession', ...named, successorId, ...hashed } as unknown as Draft;
      }
      case 'releaseOwnership':
        return { type: 'ReleaseOwnership', reservedSeconds: 60, ...named } as Draft;
      case 'claimOwnership':
        return { type: 'ClaimOwnership', ...named, ...leaseOf(body) } as Draft;
      case 'endSession':
        return { type: 'EndSession', ...named } as Draft;
      case 'touchSession':
        return { type: 'TouchSession', ...named } as Draft;
      case 'changeAttributes': {
        const attributesDigest = this.#store.patched(of, body.attributes as object);
        return { type: 'ChangeAttributes', ...named, attributesDigest } as Draft;
      }
      default:
        return undefined;
    }
  }

  #start(body: Body): Answer {
    const {
      userId,
      projectId = 'default',
      owner,
      onConflict = 'supersede',
      expectedEpoch,
      phase,
      attributes,
    } = body;
    if (typeof userId !== 'string' || userId === '' || typeof (owner as Owner)?.environment !== 'string') {
      return problemAnswer('invalid-request', 'body.userId and body.owner.environment have to be texts');
    }
    const scope = { tenant: 'default', userId, projectId: projectId as string };
    const key = scopeKey(scope);
    const command = {
      type: 'StartSession',
      ...issued,
      sessionId: this.#store.newSessionId(key),
      scope,
      owner,
      onConflict,
      ...(expectedEpoch !== undefined && { expectedEpoch }),
      ...(phase === 'starting' && { phase }),
      ...(attributes ? { attributesDigest: this.#store.keepAttributes(attributes) } : {}),
      ...leaseOf(body),
    } as unknown as Draft;
    return this.#answer(this.#store.execute(command, key));
  }

  #renew(sessionId: string, epoch: Epoch): Answer {
    const of = this.#store.scopeOf(sessionId);
    if (of === undefined) return problemAnswer('unknown-session');
    const done = this.#store.execute(
      { type: 'RenewLease', ...issued, sessionId, epoch } as Omit<Command, 'at'> as Draft,
      of,
    );
    if (!('outcome' in done)) return this.#answer(done);
    const until = new Date(
      Date.now() + this.#skew + (done.session.lease?.seconds ?? 0) * 1_000,
    ).toISOString();
    return { status: 200, body: { outcome: 'renewed', sessionId, until } };
  }

  #answer(done: Done): Answer {
    if ('refusal' in done) {
      const { code, current, until } = done.refusal;
      return problemAnswer(code, undefined, {
        ...(until && { until }),
        ...(current && { current: this.#store.shown(current) }),
      });
    }
    const { outcome, session, current, position } = done;
    const shown = { outcome, session: this.#store.shown(session), position };
    const body = current ? { ...shown, current: this.#store.shown(current) } : shown;
    return { status: outcome === 'started' ? 201 : 200, body };
  }

  async #read(
    id: string,
    sessionId: string | undefined,
    query: Query,
    headers: Headers,
    signal: AbortSignal,
  ) {
    const scope = {
      tenant: 'default',
      userId: query.get('userId') ?? '',
      projectId: query.get('projectId') ?? 'default',
    };
    const [after, limit] = [Number(query.get('after') ?? 0), Number(query.get('limit') ?? 100)];
    switch (id) {
      case 'session': {
        const found = this.#store.session(sessionId ?? '');
        if (!found) return problem('unknown-session');
        return respond({ status: 200, body: { ...this.#store.shown(found), refusals: [] } });
      }
      case 'currentSession':
        return this.#current(
          scopeKey(scope),
          query.has('wait') ? Number(query.get('wait')) : undefined,
          after,
          signal,
        );
      case 'scopeEvents':
        return page(
          this.#store.events(scopeKey(scope)).slice(after, after + limit),
          limit,
          ({ version }) => version,
        );
      case 'feed': {
        const partition = Number(query.get('partition'));
        if (partition >= this.#store.partitions) return problem('invalid-request');
        return page(
          this.#store.log(partition).slice(after, after + limit),
          limit,
          ({ sequence }) => sequence,
        );
      }
      case 'snapshot':
        return streamed('application/x-ndjson', this.#snapshot());
      case 'scopeStream':
        return streamed(
          'text/event-stream',
          this.#scopeStream(scopeKey(scope), headers.get('last-event-id'), signal),
        );
      case 'feedStream':
        return streamed('text/event-stream', this.#feedStream(headers.get('last-event-id'), signal));
      default:
        return problem('not-found');
    }
  }

  async #current(
    of: ScopeKey,
    wait: number | undefined,
    after: number,
    signal: AbortSignal,
  ): Promise<Response> {
    const until = performance.now() + (wait ?? 0) * 1_000;
    for (;;) {
      const latest = this.#store.latest(of);
      const isOver = wait === undefined || performance.now() >= until || this.#isDown;
      if (isOver || (latest?.revision ?? 0) > after) return this.#latest(latest, wait !== undefined && after);
      await this.#store.changed(signal);
      signal.throwIfAborted();
    }
  }

  #latest(latest: Session | undefined, after: number | false): Response {
    if (!latest || latest.status === 'ended') {
      return respond(
        problemAnswer('no-current-session', undefined, latest && { last: this.#store.shown(latest) }),
      );
    }
    if (after !== false && latest.revision <= after) return new Response(null, { status: 304 });
    return respond({ status: 200, body: this.#store.shown(latest) });
  }

  async *#snapshot(): AsyncGenerator<string> {
    for (let partition = 0; partition < this.#store.partitions; partition++) {
      const sequence = this.#store.log(partition).length;
      yield `${JSON.stringify({ position: { partition, sequence } })}\n`;
      for (const session of this.#store.current(partition)) {
        yield `${JSON.stringify({ session: this.#store.shown(session) })}\n`;
      }
    }
    yield '{"complete":true}\n';
  }

  async *#scopeStream(of: ScopeKey, last: string | null, signal: AbortSignal): AsyncGenerator<string> {
    let after = last === null ? this.#store.events(of).length : Number(last);
    for (yield 'retry: 1000\n\n'; !signal.aborted && !this.#isDown; await this.#store.changed(signal)) {
      for (const { version, json } of this.#store.events(of).slice(after)) {
        after = version;
        yield `id: ${version}\ndata: ${json}\n\n`;
      }
    }
  }

  async *#feedStream(last: string | null, signal: AbortSignal): AsyncGenerator<string> {
    const partitions = Array.from({ length: this.#store.partitions }, (_, partition) => partition);
    const vector = last
      ? last.split('.').map((part) => Number.parseInt(part, 36))
      : partitions.map((partition) => this.#store.log(partition).length);
    for (yield 'retry: 1000\n\n'; !signal.aborted && !this.#isDown; await this.#store.changed(signal)) {
      for (const partition of partitions) {
        for (const { sequence, json } of this.#store.log(partition).slice(vector[partition])) {
          vector[partition] = sequence;
          yield `id: ${vector.map((one) => one.toString(36)).join('.')}\ndata: ${json}\n\n`;
        }
      }
    }
  }
}

/** A lease as a request states it, with what it left out. */
function leaseOf({ lease }: Body): { lease?: LeaseTerms } {
  if (!lease) return {};
  const terms = lease as Partial<LeaseTerms> & { seconds: number };
  return { lease: { graceSeconds: 60, renewOn: 'heartbeat', onLapse: 'release', ...terms } };
}
