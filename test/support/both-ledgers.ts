import { operations, problemsOf } from '#api/schemas';
import { type OperationId, type Operations, routes } from '#client';
import { MemoryLedger } from '#memory-ledger';
import { startService } from './service.js';

/** A ledger as its callers see it, whoever stands behind it. */
export interface Ledger {
  url: string;
  fetch: typeof fetch;
  /** Lets time pass where it does not by itself. */
  advance(seconds: number): void;
}

/** The service, and the ledger that users test with: empty ones, for which the same has to be true. */
export async function bothLedgers(): Promise<[service: Ledger, memory: Ledger]> {
  const { url } = await startService();
  const memory = new MemoryLedger();
  return [
    { url, fetch, advance: () => {} },
    {
      url: 'http://memory.ledger',
      fetch: memory.fetch as typeof fetch,
      advance: (seconds) => memory.advance(seconds),
    },
  ];
}

type RequestFor<Id extends OperationId> = Partial<Omit<Operations[Id], 'answer'>> & {
  headers?: Record<string, string>;
};
export interface Told {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of any operation
  body: any;
}

const SHOWN_HEADERS = [
  'content-type',
  'ledger-position',
  'ledger-restores',
  'etag',
  'idempotency-replayed',
  'retry-after',
  'location',
];

/**
 * Asks a ledger and writes down what it answers, so that two ledgers can be compared: word by word, but that ids,
 * hashes and times are numbered in the order of their appearance.
 */
export class Transcript {
  readonly lines: unknown[] = [];
  readonly #names = new Map<string, string>();

  constructor(
    readonly ledger: Ledger,
    /** Operations that were obeyed, by all transcripts that share it. */
    readonly obeyed = new Set<OperationId>(),
    /** Whether positions are told: not of what is asked at once. */
    readonly tellsPositions = true,
  ) {}

  async ask<Id extends OperationId>(id: Id, request: RequestFor<Id> = {}): Promise<Told> {
    const { params, query, body, headers } = request as Record<string, Record<string, string> | undefined>;
    const { method, path } = routes[id];
    const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''));
    const search = query ? `?${new URLSearchParams(query as Record<string, string>)}` : '';
    const hasBody = method === 'POST' || method === 'PATCH';
    const told = await this.raw(`${filled}${search}`, {
      method,
      headers: { ...(hasBody && { 'content-type': 'application/json' }), ...headers },
      ...(hasBody && { body: JSON.stringify(body ?? {}) }),
    });
    if (told.status < 300) this.obeyed.add(id);
    const [, code] = /^\/problems\/(.+)$/.exec((told.status >= 400 && told.body?.type) || '') ?? [];
    if (code && !problemsOf(operations[id]).some((one) => one === code))
      throw new Error(`${id} does not list the problem ${code}`);
    return told;
  }

  /** Any request to an address of the ledger. */
  async raw(address: string, init: RequestInit = {}): Promise<Told> {
    const response = await this.ledger.fetch(`${this.ledger.url}${address}`, init);
    const text = await response.text();
    const isJson = /\/(problem\+)?json/.test(response.headers.get('content-type') ?? '') && text !== '';
    const body = isJson ? JSON.parse(text) : text;
    const headers = SHOWN_HEADERS.flatMap((name) => {
      const value = shownHeader(name, response.headers.get(name)?.split(';')[0]);
      return value === undefined || (name === 'ledger-position' && !this.tellsPositions)
        ? []
        : [[name, value]];
    });
    this.tell([init.method ?? 'GET', address, response.status, headers, body]);
    return { status: response.status, body };
  }

  /** Opens a stream, does what should be told there, and writes its first events down. */
  async listen(address: string, count: number, headers: Record<string, string>, act: () => Promise<unknown>) {
    const gone = new AbortController();
    const init = { headers, signal: gone.signal };
    const response = await this.ledger.fetch(`${this.ledger.url}${address}`, init);
    await act();
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.split('\n\n').length > count + 1) break;
    }
    gone.abort();
    const blocks = text.replaceAll(':\n\n', '').split('\n\n').slice(0, -1);
    const events = blocks.map((block) =>
      block.split('\n').map((line) => /^data: (.*)$/.exec(line)?.[1] ?? line),
    );
    this.tell([address, response.status, events.map((lines) => lines.map((line) => this.#parsed(line)))]);
  }

  tell(line: unknown): void {
    this.lines.push(this.#plain(line));
  }

  #parsed(line: string): unknown {
    return line.startsWith('{') ? JSON.parse(line) : line;
  }

  #plain(value: unknown, name = ''): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#plain(one));
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
      const told = members.filter(([key]) => this.tellsPositions || !POSITIONS.has(key));
      return Object.fromEntries(told.map(([key, inner]) => [key, this.#plain(inner, key)]));
    }
    if (typeof value !== 'string') return value;
    if (NAMED.has(name)) return this.#named(value);
    if (name === 'next') return 'next';
    return value
      .replace(/the key [0-9A-Za-z]{10}/g, 'the key')
      .replace(/\/v1\/keys\/[0-9A-Za-z]{10}\b/g, '/v1/keys/id')
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => this.#named(id))
      .replace(/after=[\w.-]{12,}/g, 'after=next')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'time');
  }

  #named(value: string): string {
    const name = this.#names.get(value) ?? `#${this.#names.size + 1}`;
    this.#names.set(value, name);
    return name;
  }
}

/** A little of a long wait is over before it is told: it counts in minutes. */
function shownHeader(name: string, value: string | undefined): string | undefined {
  return name === 'retry-after' && Number(value) > 30 ? String(Math.ceil(Number(value) / 60) * 60) : value;
}

const NAMED = new Set(['hash', 'attributesDigest', 'successorHandle', 'keyId', 'secret']);
const POSITIONS = new Set(['position', 'id', 'sequence']);
