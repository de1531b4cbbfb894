import { codeOf, LedgerProblem, UnexpectedAnswer } from '../errors.js';
import type { Problem } from '../generated/api.js';
import { type Asked, mayBeObeyed, mayBePassedOn } from './outcome-unknown.js';
import { fits, PROBLEM, type Shape } from './shapes.js';

/** More than any answer of the ledger: a thousand refused renewals, each with a session, are about 6 MiB. */
const MOST_BYTES = 32 << 20;
/** How much of a page that is not ours an error quotes. */
const QUOTED = 120;

/** The body was cut: whoever asked may ask again. */
export class BodyLost extends Error {
  override readonly name = 'BodyLost';
}

/** What stands in an answer, before anybody has looked whose it is. */
export interface Raw {
  status: number;
  /** Without parameters; `none` where the answer does not say. */
  type: string;
  /** Undefined: more than any answer. */
  text: string | undefined;
  /** How long the ledger asks to wait; 0 when it does not. */
  retryAfterMs: number;
}

/** Reads an answer whole. Throws BodyLost. */
export async function readWhole(response: Response): Promise<Raw> {
  const { status } = response;
  const type = response.headers.get('content-type')?.split(';', 1)[0] ?? 'none';
  const text = status === 304 ? '' : await readText(response);
  return { status, type, text, retryAfterMs: retryAfterMs(response) };
}

/**
 * The JSON of an answer, undefined for 304. Throws LedgerProblem for a problem, UnexpectedAnswer for what is
 * not the ledger's, and BodyLost.
 */
export function readAnswer(
  { status, type, text }: Omit<Raw, 'retryAfterMs'>,
  shape: Shape | undefined,
  asked: Asked,
): unknown {
  if (status === 304) return undefined;
  if (text === undefined) throw unexpected(status, `over ${MOST_BYTES} bytes`, asked);
  if (!/^application\/(problem\+)?json$/.test(type))
    throw unexpected(status, `content type ${type}, ${quoted(text)}`, asked);
  const body = parsed(text);
  if (body === undefined && isGood(status))
    throw new BodyLost(`JSON that ends too early, or is none: ${quoted(text)}`);
  return judged(status, body, shape, asked, () => quoted(text));
}

/** The same of what was parsed already. */
export function judged(
  status: number,
  body: unknown,
  shape: Shape | undefined,
  asked: Asked,
  quote: () => string = () => quoted(JSON.stringify(body)),
): unknown {
  if (isGood(status) && fits(body, shape)) return body;
  if (!isGood(status) && fits(body, PROBLEM)) {
    const problem = body as Problem;
    const outcomeUnknown = mayBeObeyed(asked, codeOf(problem.type), status);
    throw new LedgerProblem(problem, { outcomeUnknown, idempotencyKey: asked.key });
  }
  throw unexpected(status, `JSON that is not the ledger's, ${quote()}`, asked);
}

const isGood = (status: number) => status >= 200 && status < 300;

function unexpected(status: number, what: string, asked: Asked): UnexpectedAnswer {
  return new UnexpectedAnswer(status, what, {
    outcomeUnknown: mayBePassedOn(asked, status),
    idempotencyKey: asked.key,
  });
}

/** The body; undefined when it is more than any answer. Throws BodyLost. */
async function readText(response: Response): Promise<string | undefined> {
  try {
    const length = response.headers.get('content-length');
    const known = length !== null && !response.headers.has('content-encoding');
    if (known && Number(length) <= MOST_BYTES) return await response.text();
    return await readBounded(response.body);
  } catch (cause) {
    throw new BodyLost('the answer broke off', { cause });
  }
}

async function readBounded(body: ReadableStream<Uint8Array> | null): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = '';
  for (let bytes = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > MOST_BYTES) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function quoted(text: string): string {
  if (text === '') return 'empty';
  const start = text.slice(0, QUOTED).replace(/\s+/g, ' ');
  return `beginning with ${JSON.stringify(start)}`;
}

const MOST_RETRY_AFTER_MS = 600_000;

/** RFC 9110, section 10.2.3: seconds or a date. What cannot be read counts as none. */
export function retryAfterMs({ headers }: Response): number {
  const given = headers.get('retry-after');
  if (given === null) return 0;
  const ms = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MOST_RETRY_AFTER_MS) : 0;
}
