import { problemBody, retryAfterOf } from '#protocol';
import type { Answered } from './serving.js';

/** The response that an answer is: JSON, problem+json, or a body that is still being written; without it for HEAD. */
export function respond(answered: Answered, isHead: boolean): Response {
  const { status = 200, headers = {}, body, texts, problem } = answered;
  const told = (text: () => string | ReadableStream<Uint8Array>, init: ResponseInit) =>
    new Response(isHead ? null : text(), init);
  if (texts) return told(() => streamOf(texts), { status, headers });
  if (problem) {
    const retryAfter = retryAfterOf(problem);
    const content = problemBody(problem);
    const type = { 'content-type': 'application/problem+json' };
    const retry = retryAfter !== undefined && { 'retry-after': String(retryAfter) };
    const init = { status: content.status, headers: { ...type, ...retry, ...headers } };
    return told(() => JSON.stringify(content), init);
  }
  if (body === undefined) return new Response(null, { status, headers });
  const type = { 'content-type': 'application/json' };
  return told(() => JSON.stringify(body), { status, headers: { ...type, ...headers } });
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
