import { Type } from 'typebox';
import { NAME, named } from './components.js';
import { sessionId } from './examples.js';
import { eventPage } from './feed.js';
import { byId, closed, type Operation, read, reader, ScopeQuery, scope, sent } from './operation.js';
import {
  AsOf,
  Epoch,
  GivenId,
  Handle,
  Instant,
  Label,
  Owner,
  Position,
  Session,
  SessionId,
} from './values.js';

export const CurrentQuery = Type.Object(
  {
    ...scope,
    wait: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 60,
        description: 'Seconds to wait while the revision equals `after`; otherwise the answer comes at once',
      }),
    ),
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'The revision that is known; 0 when left out, which is that of a scope without a session',
      }),
    ),
    all: Type.Optional(
      Type.Boolean({
        description: "All of the user's current sessions, of any project, 100 a page",
      }),
    ),
    next: Type.Optional(
      Type.String({ maxLength: 64, description: 'With `all`: the `next` of the previous page' }),
    ),
    asOf: Type.Optional(AsOf),
    include: Type.Optional(
      Type.Enum(['lease'], {
        description:
          'Adds `lease.expiresAt`, the end of the lease unless it is renewed. All times then include what an outage has added',
      }),
    ),
  },
  closed,
);

export const EventsQuery = Type.Object(
  {
    ...scope,
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'A version; 0 when left out',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
  },
  closed,
);

const Candidate = Type.Union([Handle, Type.Object({ sessionId: GivenId, epoch: Epoch }, closed)]);

export const ResolveBody = named(
  'ResolveBody',
  {
    candidates: Type.Array(Candidate, {
      minItems: 1,
      maxItems: 16,
      description: 'from 1 to 16, the most explicit first: handles, or references of session and epoch',
    }),
    override: Type.Optional(
      Type.Boolean({ description: 'The first candidate decides, even if others differ' }),
    ),
  },
  closed,
);

export const Resolved = named('Resolved', {
  session: Session,
  unknown: Type.Array(Type.Integer({ minimum: 0 }), {
    description: 'Indexes, from 0, of the candidates that are unbound handles',
  }),
});

export const CheckpointList = named('CheckpointList', {
  checkpoints: Type.Array(Type.Object({ label: Label, sessionId: SessionId, markedAt: Instant })),
});

export const CurrentPage = named('CurrentPage', {
  sessions: Type.Array(Session, { maxItems: 100 }),
  next: Type.Optional(Type.String({ description: 'For the next page; absent in the last one' })),
});

/** Most refusals that a session is shown with. */
const MOST_REFUSALS = 100;

export const Refusal = named('Refusal', {
  origin: Type.Optional(Owner),
  epoch: Type.Optional(Epoch),
  why: Type.String({ description: 'How the session had ended, or what did not match' }),
  count: Type.Integer({ minimum: 1, description: 'How often it was received' }),
  position: Position,
  at: Type.Optional(Instant),
  archived: Type.Optional(
    Type.Literal(true, {
      description: 'The event at `position` is archived; only it has origin, epoch and at',
    }),
  ),
});

export const SessionWithRefusals = Type.Intersect(
  [
    Session,
    Type.Object({
      refusals: Type.Array(Refusal, {
        maxItems: MOST_REFUSALS,
        description: `Stops of this session that were not obeyed: the newest ${MOST_REFUSALS}, newest first`,
      }),
    }),
  ],
  { [NAME]: 'SessionWithRefusals' },
);

/** What is current, and what is known of a session or a scope. */
export const reads = {
  currentSession: {
    method: 'GET',
    path: '/v1/current',
    needs: reader,
    summary: 'The current session of a user and a project',
    query: CurrentQuery,
    takes: ['If-None-Match'],
    answers: {
      200: {
        description:
          'the current session, whose ETag changes with its revision; with `all`, a page of sessions',
        schema: Session,
        asked: CurrentPage,
        headers: ['ETag', 'Ledger-Position'],
      },
      304: {
        description:
          'unchanged: it matches If-None-Match, or the revision is still `after` at the end of the wait',
        headers: ['ETag'],
      },
    },
    problems: ['no-current-session', 'archived', ...read],
  },
  session: {
    method: 'GET',
    path: '/v1/sessions/:sessionId',
    needs: reader,
    summary: 'Any session, including an ended one',
    params: byId,
    answers: {
      200: { description: 'the session, and its refused stops', schema: SessionWithRefusals },
    },
    problems: ['unknown-session', ...read],
  },
  resolve: {
    method: 'POST',
    path: '/v1/resolve',
    needs: reader,
    reads: true,
    summary: 'The one current session that all candidates identify',
    ...sent(ResolveBody, {
      candidates: [
        { kind: 'mcp-transport', value: 'b7f1' },
        { sessionId, epoch: 1 },
      ],
    }),
    answers: { 200: { description: 'the session', schema: Resolved } },
    problems: [
      'session-mismatch',
      'stale-session',
      'stale-epoch',
      'future-epoch',
      'session-ended',
      'unknown-handle',
      'unknown-session',
      'invalid-json',
      'body-too-large',
      'unsupported-media-type',
      ...read,
    ],
  },
  checkpoints: {
    method: 'GET',
    path: '/v1/checkpoints',
    needs: reader,
    summary: "A scope's checkpoints, oldest first: at most 100",
    query: ScopeQuery,
    answers: { 200: { description: 'the checkpoints', schema: CheckpointList } },
    problems: read,
  },
  scopeEvents: {
    method: 'GET',
    path: '/v1/events',
    needs: reader,
    summary: "A scope's history, in pages; an ignored stop has a count",
    query: EventsQuery,
    answers: { 200: eventPage },
    problems: ['archived', 'position-ahead', ...read],
  },
} as const satisfies Record<string, Operation>;
