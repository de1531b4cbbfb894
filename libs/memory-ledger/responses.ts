import { type ProblemCode, problems } from '#client';

const json = { 'content-type': 'application/json' };

/** Status and body of an answer. */
export interface Answer {
  status: number;
  body: unknown;
}

/** A response of JSON; of problem+json from 400 on. */
export function respond({ status, body }: Answer, more: Record<string, string> = {}): Response {
  const type = status < 400 ? json : { 'content-type': 'application/problem+json' };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...more } });
}

export function problem(code: ProblemCode): Response {
  return respond(problemAnswer(code));
}

export function problemAnswer(code: ProblemCode, detail?: string, more: object = {}): Answer {
  const { status, title, retryable } = problems[code];
  return {
    status,
    body: { type: `/problems/${code}`, title, status, retryable, ...(detail && { detail }), ...more },
  };
}

/** One page of events. */
export function page<T extends { json: string }>(
  events: readonly T[],
  limit: number,
  number: (event: T) => number,
): Response {
  const last = events.at(-1);
  const next = last && events.length === limit ? `,"next":${number(last)}` : '';
  return new Response(`{"events":[${events.map((event) => event.json).join(',')}]${next}}`, {
    headers: json,
  });
}

/** A response that is still being written. */
export function streamed(contentType: string, texts: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await texts.return(undefined);
    },
  });
  return new Response(body, { headers: { 'content-type': contentType } });
}
