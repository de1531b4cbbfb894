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

/**
 * The JSON of an answer, undefined for 304. Throws LedgerProblem for a problem, UnexpectedAnswer for what is
 * not the ledger's, and BodyLost.
 */
export async function readAnswer(
  response: Response,
  shape: Shape | undefined,
  asked: Asked,
): Promise<unknown> {
  const { status } = response;
  if (status === 304) return undefined;
  const failed = { outcomeUnknown: mayBePassedOn(asked, status), idempotencyKey: asked.key };
  const text = await readText(response);
  if (text === undefined) throw new UnexpectedAnswer(status, `over ${MOST_BYTES} bytes`, failed);
  const type = response.headers.get('content-type')?.split(';', 1)[0] ?? 'none';
  if (!/^application\/(problem\+)?json$/.test(type)) {
    throw new UnexpectedAnswer(status, `content type ${type}, ${quoted(text)}`, failed);
  }
  const body = parsed(text);
  if (body === undefined && response.ok)
    throw new BodyLost(`JSON that ends too early, or is none: ${quoted(text)}`);
  if (response.ok && fits(body, shape)) return body;
  if (!response.ok && fits(body, PROBLEM)) {
    const problem = body as Problem;
    const outcomeUnknown = mayBeObeyed(asked, codeOf(problem.type), status);
    throw new LedgerProblem(problem, { ...failed, outcomeUnknown });
  }
  throw new UnexpectedAnswer(status, `JSON that is not the ledger's, ${quoted(text)}`, failed);
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
