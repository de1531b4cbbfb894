import { backoffMs, onAbort, orAborted, pause } from '#waiting';
import { now } from '../clock.js';
import {
  ClientBusy,
  CredentialError,
  LedgerError,
  LedgerProblem,
  NoAnswer,
  UnexpectedAnswer,
} from '../errors.js';
import { type OperationId, type Operations, routes } from '../generated/api.js';
import { BodyLost, judged, type Raw, readAnswer, readWhole, retryAfterMs } from './answer.js';
import { bearerOf } from './bearer.js';
import { type Alone, type Gathered, Gathering, type Got, NeverSent } from './gathering.js';
import type { Asked } from './outcome-unknown.js';
import { isCommand, isOneCommand, type Shape, shapeOf } from './shapes.js';

/** How a call is made. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. A command may have been obeyed by then. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call with its repetitions; 30,000 unless the client says otherwise. */
  deadlineMs?: number | undefined;
  /** Milliseconds for one attempt; 12,000 unless the client says otherwise: a ledger that lives answers within 10. */
  attemptMs?: number | undefined;
  /**
   * For a command: made by the client, once a call, when left out. Give the old one to ask again after a failure. An
   * error then tells by `outcomeUnknown` of the calls before, too: nobody knows here whether there were any.
   */
  idempotencyKey?: string | undefined;
}

export interface TransportOptions {
  /** Of the ledger, with the path under which it stands, if any. */
  url: string | URL;
  /** In place of the global one. */
  fetch?: typeof fetch | undefined;
  /**
   * The key or token that the ledger is asked with, as `Authorization: Bearer`; or what gives one that is valid now, asked
   * before each attempt, within its time: for tokens that expire. What it throws is tried again, save CredentialError; that
   * is what a call rejects with at once when no header can carry a token.
   */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** Sent with every request, for example of a proxy's. Asked for before each attempt, within its time. */
  headers?: (() => Record<string, string> | Promise<Record<string, string>>) | undefined;
  /**
   * Whether commands that are made in the same turn of the event loop, or while four requests are under way, go in one
   * request, and reads of what is current likewise: so unless it is `false`. Each keeps its own key, time, signal and error;
   * a lone call goes by itself. What one waits for, those beside it wait for, too. `token` and `headers` are asked once for all
   * that go together: who asks with another one for each caller needs a client for each.
   */
  gather?: boolean | undefined;
  deadlineMs?: number | undefined;
  attemptMs?: number | undefined;
  /** Most calls at once, waits on a scope aside: 1,000 unless set. The next one is refused with ClientBusy. */
  maxCalls?: number | undefined;
}

/** The parts of a request, as the operation wants them. */
export type RequestOf<Id extends OperationId> = Omit<Operations[Id], 'answer'>;
export type AnswerOf<Id extends OperationId> = Operations[Id]['answer'];
/** What is answered as it comes, or as something else than JSON. */
export type StreamId = {
  [Id in OperationId]: Operations[Id]['answer'] extends ReadableStream<Uint8Array> ? Id : never;
}[OperationId];

const STREAMED = /^(text\/event-stream|application\/x-ndjson|text\/plain|application\/octet-stream)/;

/** An answer and what is known about its call. */
export interface Answered<T> {
  body: T;
  /** When the first attempt was about to be sent, by `now()`: whatever the ledger did came later. */
  sentAt: number;
  /** The ledger repeats what it answered to this key in an earlier call: the effect may be old. */
  isOld: boolean;
}

/** The parts of a request for a stream. */
export interface StreamedRequest {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
}

/** What all attempts of a call have in common. */
interface Attempt {
  id: OperationId;
  params: Record<string, unknown> | undefined;
  query: Record<string, unknown> | undefined;
  /** The JSON of its body; undefined: it has none. */
  json: string | undefined;
  key: string | undefined;
  shape: Shape | undefined;
  signal: AbortSignal | undefined;
  /** With whom it may go, and as what. */
  among: Among | undefined;
}

interface Among extends Gathered {
  gathering: Gathering;
  /** Its answer, without what is said of a place in a list. */
  bodyOf(body: Record<string, unknown>): unknown;
}

const DEADLINE_MS = 30_000;
const ATTEMPT_MS = 12_000;
const MOST_ATTEMPTS = 20;
/** An attempt for which the deadline leaves less is not begun: it would only hide what the last one ran into. */
const LEAST_ATTEMPT_MS = 100;

/**
 * Asks the ledger, again where that is safe: when nobody answered, and after 408, 429, 502, 503 and 504. A command
 * carries one Idempotency-Key through all of its attempts, so it is obeyed at most once.
 */
export class Transport {
  readonly #base: string;
  readonly #options: TransportOptions;
  readonly #maxCalls: number;
  readonly #commands: Gathering | undefined;
  readonly #reads: Gathering | undefined;
  #calls = 0;

  constructor(options: TransportOptions) {
    const url = new URL(options.url);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`a ledger speaks HTTP, not ${url.protocol}`);
    this.#base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
    this.#options = options;
    this.#maxCalls = options.maxCalls ?? 1_000;
    if (options.gather === false) return;
    this.#commands = new Gathering((list, how) =>
      this.#askMany('sendCommands', `{"commands":[${list}]}`, how),
    );
    this.#reads = new Gathering((list, how) => this.#askMany('currentSessions', `{"of":[${list}]}`, how));
  }

  /** The ledger's address. */
  get url(): string {
    return this.#base;
  }

  /** `mayRepeat`: an earlier call may have used the same key. */
  async call<Id extends OperationId>(
    id: Id,
    request: RequestOf<Id>,
    options: CallOptions = {},
    mayRepeat: boolean = options.idempotencyKey !== undefined,
  ): Promise<Answered<AnswerOf<Id>>> {
    const isWait =
      id === 'currentSession' && (request as RequestOf<'currentSession'>).query.wait !== undefined;
    if (this.#calls >= this.#maxCalls && !isWait) throw new ClientBusy(`${this.#calls} calls are under way`);
    this.#calls += isWait ? 0 : 1;
    try {
      const attempt = this.#attemptOf(id, request, options);
      return (await this.#repeat(attempt, options, mayRepeat)) as Answered<AnswerOf<Id>>;
    } finally {
      this.#calls -= isWait ? 0 : 1;
    }
  }

  /** Opens a stream: one attempt, whose time is for the head of the answer only. The caller reads or cancels it. */
  async open(
    id: StreamId,
    { params, query }: StreamedRequest,
    { signal, lastEventId }: { signal: AbortSignal; lastEventId?: string | undefined },
  ): Promise<ReadableStream<Uint8Array>> {
    const url = this.#base + pathOf(routes[id].path, params) + queryOf(query);
    const headers = { ...(lastEventId && { 'last-event-id': lastEventId }) };
    const { response, done } = await this.#fetch(url, { method: 'GET' }, headers, {
      signal,
      ms: this.#options.attemptMs ?? ATTEMPT_MS,
      goesOn: true,
    }).catch((error) => Promise.reject(error instanceof Unsent ? error.cause : error));
    const type = response.headers.get('content-type') ?? '';
    const isStream = response.ok && STREAMED.test(type);
    if (isStream) done();
    if (isStream && response.body) return response.body;
    const raw = await readWhole(response).finally(done);
    readAnswer(raw, undefined, { key: undefined, isOne: false, doubtful: false });
    throw new UnexpectedAnswer(response.status, `content type ${type} in place of a stream`, {
      outcomeUnknown: false,
    });
  }

  #attemptOf<Id extends OperationId>(
    id: Id,
    request: RequestOf<Id>,
    { idempotencyKey, signal }: CallOptions,
  ): Attempt {
    const { method } = routes[id];
    const {
      params,
      query,
      body = {},
    } = request as {
      params?: Record<string, unknown>;
      query?: Record<string, unknown>;
      body?: unknown;
    };
    const isRead = method === 'GET' || 'reads' in routes[id];
    const hasBody = method === 'POST' || method === 'PATCH';
    if (idempotencyKey !== undefined && !/^[\x20-\x7e]{1,256}$/.test(idempotencyKey)) {
      throw new TypeError('an idempotency key is 1 to 256 characters of ASCII');
    }
    const key = isRead ? undefined : (idempotencyKey ?? crypto.randomUUID());
    const json = hasBody ? JSON.stringify(body) : undefined;
    const among = isRead ? this.#amongReads(id, query) : this.#amongCommands(id, params, body, json, key);
    return { id, params, query, json, key, shape: shapeOf(id, query), signal, among };
  }

  #amongReads(id: OperationId, query: Record<string, unknown> = {}): Among | undefined {
    const gathering = this.#reads;
    if (!gathering || id !== 'currentSession') return undefined;
    const { userId, projectId, ...more } = query;
    for (const name in more) if (more[name] !== undefined) return undefined;
    return {
      gathering,
      json: JSON.stringify({ userId, projectId }),
      order: undefined,
      bodyOf: sessionIn,
    };
  }

  #amongCommands(
    id: OperationId,
    params: Record<string, unknown> | undefined,
    body: unknown,
    json: string | undefined,
    key: string | undefined,
  ): Among | undefined {
    const gathering = this.#commands;
    if (!gathering || !isCommand(id)) return undefined;
    const { userId, projectId = 'default' } = body as { userId?: string; projectId?: string };
    const sessionId = params?.sessionId;
    const named = sessionId === undefined ? '' : `,"sessionId":${JSON.stringify(sessionId)}`;
    return {
      gathering,
      json: `{"operation":"${id}"${named},"body":${json},"idempotencyKey":${JSON.stringify(key)}}`,
      // No name of a user has a line break; were there one, a call would wait for another one that it need not wait for.
      order: sessionId === undefined ? `${userId}\n${projectId}` : String(sessionId).toLowerCase(),
      bodyOf: answerIn,
    };
  }

  async #repeat(
    attempt: Attempt,
    { deadlineMs, attemptMs, signal, idempotencyKey }: CallOptions,
    mayRepeat: boolean,
  ): Promise<Answered<unknown>> {
    const { attemptMs: usualMs = ATTEMPT_MS, deadlineMs: usualDeadlineMs = DEADLINE_MS } = this.#options;
    const sentAt = now();
    const until = sentAt + (deadlineMs ?? usualDeadlineMs);
    let asked: Asked = { key: attempt.key, isOne: isOneCommand(attempt.id), doubtful: mayRepeat };
    for (let attempts = 1; ; attempts++) {
      const leftMs = attempts === 1 ? until - sentAt : until - now();
      const ms = Math.max(1, Math.min(attemptMs ?? usualMs, leftMs));
      try {
        const { body, replayed } = await this.#once(attempt, asked, ms);
        return { body, sentAt, isOld: replayed && idempotencyKey !== undefined };
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        const failure = asFailure(error, attempts, asked);
        if (failure.error.outcomeUnknown) asked = { ...asked, doubtful: true };
        const waitMs = failure.retryAfterMs + backoffMs(attempts);
        const isTooLate = now() + waitMs + LEAST_ATTEMPT_MS >= until;
        if (!failure.again || attempts >= MOST_ATTEMPTS || isTooLate) throw failure.error;
        await pause(waitMs, signal);
      }
    }
  }

  async #once(attempt: Attempt, asked: Asked, ms: number): Promise<{ body: unknown; replayed: boolean }> {
    const { among, signal } = attempt;
    if (!among) return this.#alone(attempt, asked, ms);
    const until = now() + ms;
    let got: Got | Alone;
    try {
      got = await among.gathering.ask(among, ms, signal);
    } catch (error) {
      throw error instanceof NeverSent ? new Unsent(error.cause) : error;
    }
    if (typeof got !== 'function') return placed(got, among, attempt, asked);
    try {
      return await this.#alone(attempt, asked, Math.max(1, until - now()));
    } finally {
      got();
    }
  }

  async #alone({ id, params, query, json, key, shape, signal }: Attempt, asked: Asked, ms: number) {
    const { method, path } = routes[id];
    const url = this.#base + pathOf(path, params) + queryOf(query);
    const headers = {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
    };
    const init = { method, ...(json !== undefined && { body: json }) };
    const { response, done } = await this.#fetch(url, init, headers, { signal, ms });
    try {
      const body = readAnswer(await readWhole(response), shape, asked);
      return { body, replayed: response.headers.get('idempotency-replayed') === 'true' };
    } catch (error) {
      throw new Unanswered(error, retryAfterMs(response), response.status);
    } finally {
      done();
    }
  }

  /** A ledger that is older than lists are does not know the address. */
  async #askMany(
    id: 'sendCommands' | 'currentSessions',
    body: string,
    { count, ...how }: { signal: AbortSignal; ms: number; count: number },
  ): Promise<Got[] | 'no-lists' | 'apart'> {
    const headers = { 'content-type': 'application/json' };
    const { method, path } = routes[id];
    const { response, done } = await this.#fetch(this.#base + path, { method, body }, headers, how);
    let raw: Raw;
    try {
      raw = await readWhole(response);
    } catch (error) {
      throw new Unanswered(error, retryAfterMs(response), response.status);
    } finally {
      done();
    }
    if (raw.status === 404 || raw.status === 405) return 'no-lists';
    if (raw.status === 400 || raw.status === 413) return 'apart';
    return placesIn(raw, count);
  }

  /** Times out after `ms`, until `done` is called: then it stops listening, unless the answer `goesOn`. */
  async #fetch(
    url: string,
    init: { method: string; body?: string },
    headers: Record<string, string>,
    { signal, ms, goesOn }: { signal: AbortSignal | undefined; ms: number; goesOn?: boolean },
  ): Promise<{ response: Response; done: () => void }> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error(`no answer within ${Math.round(ms)} ms`)), ms);
    const stopListening = onAbort(signal, (reason) => controller.abort(reason));
    const done = () => {
      clearTimeout(timer);
      if (!goesOn) stopListening();
    };
    let isSent = false;
    try {
      const isGiven = this.#options.headers !== undefined || this.#options.token !== undefined;
      const given = isGiven && (await orAborted(this.#given(), controller.signal));
      const send = this.#options.fetch ?? fetch;
      controller.signal.throwIfAborted();
      isSent = true;
      const response = await send(url, {
        ...init,
        headers: given ? { ...given, ...headers } : headers,
        redirect: 'manual', // a page to log in at is not followed: it would make a GET of a command
        signal: controller.signal,
      });
      return { response, done };
    } catch (error) {
      done();
      throw isSent ? error : new Unsent(error);
    }
  }

  /** Also of a function that throws before it has made a promise. */
  async #given(): Promise<Record<string, string>> {
    const { token, headers } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    const authorization = bearer !== undefined && { authorization: bearerOf(bearer) };
    return { ...authorization, ...(await headers?.()) };
  }
}

/** What each place of a list was answered; the answer itself for all where it is no list of so many. */
function placesIn(raw: Raw, count: number): Got[] {
  const answers = raw.status === 200 ? listIn(raw.text ?? '') : undefined;
  return answers?.length === count ? answers.map(inPlace) : Array.from({ length: count }, () => raw);
}

function listIn(text: string): unknown[] | undefined {
  try {
    const { answers } = JSON.parse(text) as { answers?: unknown };
    return Array.isArray(answers) ? answers : undefined;
  } catch {
    return undefined; // whoever reads the answer says so
  }
}

const inPlace = (body: unknown): Got => ({
  status: (body as { status: number }).status,
  body: body as Record<string, unknown>,
});

type Body = Record<string, unknown>;
const sessionIn = ({ session }: Body) => session;
const answerIn = ({ status: _, replayed: __, ...answer }: Body) => answer;

/** The answer to one of many. Throws Unanswered. */
function placed(got: Got, { bodyOf }: Among, { shape }: Attempt, asked: Asked) {
  const { status } = got;
  try {
    if (!('body' in got)) return { body: readAnswer(got, shape, asked), replayed: false };
    const { body } = got;
    const isGood = status === 200 || status === 201;
    return {
      body: judged(status, isGood ? bodyOf(body) : body, shape, asked),
      replayed: body.replayed === true,
    };
  } catch (error) {
    const askedFor = 'body' in got ? Number(got.body.retryAfter ?? 0) * 1_000 : got.retryAfterMs;
    throw new Unanswered(error, askedFor, status);
  }
}

/** An attempt has come to nothing before anything was sent. */
class Unsent extends Error {
  constructor(override readonly cause: unknown) {
    super('unsent');
  }
}

/** Why an attempt came to nothing, and how long the ledger asks to wait. */
class Unanswered extends Error {
  constructor(
    override readonly cause: unknown,
    readonly retryAfterMs: number,
    readonly status: number,
  ) {
    super('unanswered');
  }
}

const AGAIN = new Set([408, 429, 502, 503, 504]);

function asFailure(error: unknown, attempts: number, { key, doubtful }: Asked) {
  const { cause, retryAfterMs } = error instanceof Unanswered ? error : { cause: error, retryAfterMs: 0 };
  const outcomeUnknown = key !== undefined && (doubtful || !(error instanceof Unsent));
  if (cause instanceof BodyLost && error instanceof Unanswered) {
    const lost = new UnexpectedAnswer(error.status, cause.message, {
      outcomeUnknown,
      idempotencyKey: key,
      cause: cause.cause,
    });
    return { error: lost, again: true, retryAfterMs };
  }
  if (cause instanceof LedgerProblem || cause instanceof UnexpectedAnswer) {
    return { error: cause as LedgerError, again: AGAIN.has(cause.status), retryAfterMs };
  }
  let ranInto = cause;
  while (ranInto instanceof Unsent) ranInto = ranInto.cause; // of a list, and of a place in it
  if (ranInto instanceof CredentialError) {
    const { message, cause: why } = ranInto;
    const error = new CredentialError(message, { outcomeUnknown, idempotencyKey: key, cause: why });
    return { error, again: false, retryAfterMs };
  }
  return {
    error: new NoAnswer(attempts, { outcomeUnknown, idempotencyKey: key, cause: ranInto }),
    again: !isBadPort(ranInto),
    retryAfterMs,
  };
}

/** Node's fetch asks nobody at the ports of other protocols, however often it is told to. */
function isBadPort(error: unknown): boolean {
  return (error as { cause?: { message?: string } } | undefined)?.cause?.message === 'bad port';
}

function queryOf(query: Record<string, unknown> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

function pathOf(path: string, params: Record<string, unknown> | undefined): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params?.[name])));
}
