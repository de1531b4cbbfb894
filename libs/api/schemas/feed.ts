import { Type } from 'typebox';
import { named } from './components.js';
import { LedgerEvent } from './event.js';
import { auditor, closed, type Operation, read, reader, scope, sse } from './operation.js';

const stream = {
  lastEventId: Type.Optional(
    Type.String({
      maxLength: 65_536,
      description:
        'The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence',
    }),
  ),
};
export const ScopeStreamQuery = Type.Object({ ...scope, ...stream }, closed);
export const FeedStreamQuery = Type.Object(stream, closed);

export const FeedQuery = Type.Object(
  {
    partition: Type.Integer({ minimum: 0, maximum: 4095 }),
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'A sequence; 0 when left out',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
  },
  closed,
);

export const EventPage = named('EventPage', {
  events: Type.Array(LedgerEvent),
  next: Type.Optional(Type.Integer()),
});

export const eventPage = {
  description: 'events in order',
  schema: EventPage,
  headers: ['Ledger-Restores'],
} as const;

/** The log as followers read it: numbered, or as it grows. */
export const feed = {
  feed: {
    method: 'GET',
    path: '/v1/feed',
    needs: auditor,
    summary: "A partition's events by number, in pages",
    query: FeedQuery,
    answers: { 200: eventPage },
    problems: ['archived', 'position-ahead', ...read],
  },
  feedStream: {
    method: 'GET',
    path: '/v1/feed/stream',
    needs: auditor,
    summary: 'Events of all partitions as they happen, after the last id received or from now on',
    query: FeedStreamQuery,
    takes: ['Last-Event-ID'],
    answers: { 200: sse },
    problems: ['archived', 'position-ahead', ...read],
  },
  scopeStream: {
    method: 'GET',
    path: '/v1/stream',
    needs: reader,
    summary: "A scope's events as they happen, after the last id received or from now on",
    query: ScopeStreamQuery,
    takes: ['Last-Event-ID'],
    answers: { 200: sse },
    problems: ['archived', 'position-ahead', ...read],
  },
  tenantStream: {
    method: 'GET',
    path: '/v1/stream/tenant',
    needs: reader,
    summary: "All of the tenant's events as they happen, from now on",
    answers: {
      200: {
        description: 'Server-sent events without ids, and a comment every 15 s',
        contentType: sse.contentType,
      },
    },
    problems: read,
  },
  snapshot: {
    method: 'GET',
    path: '/v1/snapshot',
    needs: auditor,
    summary: 'All current sessions, one partition at a time, each preceded by its position',
    answers: {
      200: {
        description:
          'one JSON document per line: {"position":…} starts a partition, {"session":…} lines follow',
        contentType: 'application/x-ndjson',
      },
    },
    problems: ['overloaded', 'unavailable'],
  },
} as const satisfies Record<string, Operation>;
