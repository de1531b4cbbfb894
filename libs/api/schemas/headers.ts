import type { Json } from './components.js';

const text = { type: 'string' };

/** What headers mean here, and their schemas. */
const headers = {
  'Idempotency-Key': {
    description: 'Repeating a request with its key gives the first answer again, for at least 48 h',
    schema: { ...text, minLength: 1, maxLength: 256 },
  },
  'If-None-Match': {
    description: 'ETags of what is known already, weak or not, or `*`: then the answer is 304',
    schema: text,
  },
  'Last-Event-ID': {
    description: 'The last id that was received from this stream; empty: none',
    schema: text,
  },
  'Ledger-Position': {
    description: 'The position that the answer reflects: partition:sequence',
    schema: { ...text, examples: ['3:1042'] },
  },
  'Ledger-Restores': {
    description:
      'How often the ledger was restored. Higher than on the page before: events that were read may be gone, so read everything again',
    schema: { type: 'integer', minimum: 0 },
  },
  'Idempotency-Replayed': {
    description: 'true: this is the answer to the first request with the key',
    schema: { const: 'true' },
  },
  'Retry-After': {
    description: 'Seconds to wait before a retry',
    schema: { type: 'integer', minimum: 1 },
  },
  ETag: { description: 'Changes with the revision', schema: text },
  Location: { description: 'The address of the job', schema: text },
} as const;

export type HeaderName = keyof typeof headers;

/** Headers of a request, as parameters of an operation. */
export function headerParameters(names: readonly HeaderName[] = []): Json[] {
  return names.map((name) => ({ name, in: 'header', ...headers[name] }));
}

/** Headers of an answer, none of which has to be there. */
export function answerHeaders(names: readonly HeaderName[] = []): Json {
  return names.length > 0 ? { headers: Object.fromEntries(names.map((name) => [name, headers[name]])) } : {};
}
