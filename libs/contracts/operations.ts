import { type Static, type TSchema, Type } from 'typebox';
import type { ProblemCode } from '#protocol';
import {
  BulkJob,
  CheckpointList,
  CommandAnswer,
  CurrentPage,
  ErasedAnswer,
  EventPage,
  ProblemPage,
  Renewed,
  RenewedMany,
  Resolved,
  SessionWithRefusals,
} from './answers.js';
import {
  ActivateBody,
  AttributesBody,
  BulkBody,
  CheckpointBody,
  ClaimBody,
  EndBody,
  HandlesBody,
  InvalidBody,
  ReleaseBody,
  RenewBody,
  RenewManyBody,
  ResolveBody,
  RotateBody,
  StartBody,
  TouchBody,
  UsageBody,
} from './bodies.js';
import type { HeaderName } from './headers.js';
import {
  ChainPage,
  ChainQuery,
  ScopeUsage,
  SessionPage,
  SessionsQuery,
  TransitionPage,
  TransitionsQuery,
  UsageQuery,
} from './history.js';
import { Reports, ReportsTaken, ReportsWithdrawn, Stats, StatsQuery, WithdrawQuery } from './sync.js';
import { AsOf, GivenId, Id, Session } from './values.js';

/** One route: its schemas validate requests, and describe them in /openapi.json. */
export interface Operation {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `:name` for parameters. */
  path: string;
  /** It changes nothing, although its question is so long that it is a POST. */
  reads?: true;
  summary: string;
  params?: TSchema;
  query?: TSchema;
  body?: TSchema;
  /** Headers of the request that mean something; commands take an Idempotency-Key besides. */
  takes?: readonly HeaderName[];
  answers: Record<number, Reply>;
  problems: readonly ProblemCode[];
}

export interface Reply {
  description: string;
  schema?: TSchema;
  /** What the query can ask for in place of `schema`. The client's types know `schema` only. */
  asked?: TSchema;
  /** application/json when left out. */
  contentType?: string;
  headers?: readonly HeaderName[];
}

const closed = { additionalProperties: false };
const scope = { userId: Id, projectId: Type.Optional(Id) };
const byId = Type.Object({ sessionId: GivenId }, closed);

export const ScopeQuery = Type.Object(scope, closed);
const stream = {
  lastEventId: Type.Optional(
    Type.String({
      maxLength: 65_536,
      description:
        'As the header Last-Event-ID, for who cannot send that; the header counts when both are there',
    }),
  ),
};
export const ScopeStreamQuery = Type.Object({ ...scope, ...stream }, closed);
export const FeedStreamQuery = Type.Object(stream, closed);
export const CurrentQuery = Type.Object(
  {
    ...scope,
    wait: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 60,
        description: 'Seconds to wait while the revision is `after`; any other one is answered at once',
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
        description: "All of the user's current sessions, whatever their projects, 100 a page",
      }),
    ),
    next: Type.Optional(Type.String({ maxLength: 64, description: 'With `all`: what the page before said' })),
    asOf: Type.Optional(AsOf),
    include: Type.Optional(
      Type.Enum(['lease'], {
        description:
          'Says in `lease.expiresAt` when the lease is over unless it is renewed, and gives all times as an outage has put them off',
      }),
    ),
  },
  closed,
);
export const JobQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 60, description: 'Seconds to wait for its end' }),
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

export type JobQuery = Static<typeof JobQuery>;
export type ScopeQuery = Static<typeof ScopeQuery>;
export type CurrentQuery = Static<typeof CurrentQuery>;
export type EventsQuery = Static<typeof EventsQuery>;
export type ScopeStreamQuery = Static<typeof ScopeStreamQuery>;
export type FeedStreamQuery = Static<typeof FeedStreamQuery>;
export type FeedQuery = Static<typeof FeedQuery>;

const jobAnswered = { schema: BulkJob };

const eventPage = {
  description: 'events in order',
  schema: EventPage,
  headers: ['Ledger-Restores'],
} as const;
const placed = { headers: ['Ledger-Position'] } as const;
const answered = {
  schema: CommandAnswer,
  headers: ['Ledger-Position', 'Idempotency-Replayed'],
} as const;
const fenced = ['stale-epoch', 'stale-session', 'future-epoch', 'session-ended', 'unknown-session'] as const;
const retried = ['overloaded', 'timeout', 'unavailable', 'unknown-outcome', 'closing'] as const;
const command = [
  'invalid-request',
  'invalid-json',
  'body-too-large',
  'unsupported-media-type',
  'key-reused',
  ...retried,
] as const;
const handles = ['handle-taken', 'too-many-handles'] as const;
const read = ['invalid-request', 'overloaded', 'unavailable'] as const;
const projected = [...read, 'projection-behind'] as const;
const sse = {
  description: 'Server-sent events; before the first one an id without data, and a comment every 15 s',
  contentType: 'text/event-stream',
};

export const operations = {
  startSession: {
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Start a session, or join the current one',
    body: StartBody,
    answers: {
      201: { description: 'started', ...answered },
      200: { description: 'joined or claimed', ...answered },
    },
    problems: [
      'invalid-attributes',
      'session-active',
      'stale-epoch',
      'future-epoch',
      'reserved',
      'session-ending',
      'unknown-checkpoint',
      'session-invalid',
      'not-owner',
      ...handles,
      ...command,
    ],
  },
  activateSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/activate',
    summary: 'Confirm a session that was started in phase "starting"',
    params: byId,
    body: ActivateBody,
    answers: { 200: { description: 'activated or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', 'session-ending', ...command],
  },
  rotateSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/rotate',
    summary: 'Replace a session by its successor: compare-and-swap on session and epoch',
    params: byId,
    body: RotateBody,
    answers: { 200: { description: 'rotated or already-rotated', ...answered } },
    problems: [
      ...fenced,
      'not-owner',
      'session-not-active',
      'session-ending',
      'chain-too-long',
      'usage-overflow',
      'too-many-currencies',
      ...handles,
      ...command,
    ],
  },
  releaseOwnership: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/release',
    summary: 'Give the session up without ending it, to somebody or to nobody',
    params: byId,
    body: ReleaseBody,
    answers: { 200: { description: 'released or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', 'session-ending', 'operate-required', ...command],
  },
  claimOwnership: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/claim',
    summary: 'Become the owner of a released session',
    params: byId,
    body: ClaimBody,
    answers: { 200: { description: 'claimed or unchanged', ...answered } },
    problems: [...fenced, 'reserved', 'not-owner', 'session-ending', 'operate-required', ...command],
  },
  endSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/end',
    summary: 'Stop a session, at once or after draining; a stale stop changes nothing and is recorded',
    params: byId,
    body: EndBody,
    answers: { 200: { description: 'ended, ending, unchanged or already-ended', ...answered } },
    problems: [...fenced, 'not-owner', 'operate-required', ...command],
  },
  renewLease: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/renew',
    summary: 'Renew a lease: the sign of life of its owner',
    params: byId,
    body: RenewBody,
    answers: { 200: { description: 'renewed', schema: Renewed } },
    problems: [...fenced, 'no-lease', 'not-owner', 'session-ending', ...command],
  },
  renewLeases: {
    method: 'POST',
    path: '/v1/leases/renew',
    summary: 'Renew up to 1,000 leases, with one result each, in the order of the request',
    body: RenewManyBody,
    answers: { 200: { description: 'the results', schema: RenewedMany } },
    problems: command,
  },
  touchSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/touch',
    summary: 'A sign of use: renews a lease that is renewed on use',
    params: byId,
    body: TouchBody,
    answers: { 200: { description: 'renewed or unchanged', ...answered } },
    problems: ['stale-session', 'session-ended', 'unknown-session', ...command],
  },
  changeAttributes: {
    method: 'PATCH',
    path: '/v1/sessions/:sessionId/attributes',
    summary: "Change the session's attributes by a JSON merge patch",
    params: byId,
    body: AttributesBody,
    answers: { 200: { description: 'changed or unchanged', ...answered } },
    problems: [...fenced, 'invalid-attributes', 'not-owner', ...command],
  },
  changeHandles: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/handles',
    summary: 'Bind and unbind outside names of the session and its scope',
    params: byId,
    body: HandlesBody,
    answers: { 200: { description: 'changed or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', ...handles, ...command],
  },
  resolve: {
    method: 'POST',
    path: '/v1/resolve',
    reads: true,
    summary: 'The one current session that all candidates mean',
    body: ResolveBody,
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
  startBulk: {
    method: 'POST',
    path: '/v1/bulk',
    summary: 'End or release all sessions of a user or of an environment, as a job',
    body: BulkBody,
    answers: {
      202: { description: 'the job, which survives a restart', ...jobAnswered, headers: ['Location'] },
    },
    problems: ['operate-required', ...command],
  },
  bulkJob: {
    method: 'GET',
    path: '/v1/bulk/:jobId',
    summary: 'How far a bulk job has come',
    params: Type.Object({ jobId: GivenId }, closed),
    query: JobQuery,
    answers: { 200: { description: 'the job, finished or not', ...jobAnswered } },
    problems: ['operate-required', 'unknown-job', ...read],
  },
  eraseDetails: {
    method: 'DELETE',
    path: '/v1/details',
    summary:
      "Forget the details of a scope, or without projectId of all of the user's, at most 500 a request",
    query: ScopeQuery,
    answers: { 200: { description: 'erased or unchanged', schema: ErasedAnswer, ...placed } },
    problems: ['invalid-request', 'operate-required', ...retried],
  },
  recordUsage: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/usage',
    summary: 'Add what an operation used to the sums of its session, also when that has ended',
    params: byId,
    body: UsageBody,
    answers: {
      200: {
        description: 'recorded: again by the same request, unless it has an Idempotency-Key',
        ...answered,
      },
    },
    problems: ['usage-overflow', 'too-many-currencies', 'unknown-session', ...command],
  },
  markCheckpoint: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/checkpoints',
    summary: 'Name a session as one to return to, by `fromCheckpoint` of a start',
    params: byId,
    body: CheckpointBody,
    answers: { 200: { description: 'marked or unchanged', ...answered } },
    problems: ['session-invalid', 'checkpoint-taken', 'too-many-checkpoints', 'unknown-session', ...command],
  },
  reportInvalid: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/invalid',
    summary: 'Go on from the latest valid session, because this one cannot be continued',
    params: byId,
    body: InvalidBody,
    answers: {
      200: {
        description: 'recovered, started-fresh, already-recovered, marked-invalid, unchanged or reported',
        ...answered,
        headers: [...answered.headers, 'Retry-After'],
      },
    },
    problems: [...fenced, 'not-owner', 'session-ending', ...command],
  },
  checkpoints: {
    method: 'GET',
    path: '/v1/checkpoints',
    summary: "A scope's checkpoints, oldest first: at most 100",
    query: ScopeQuery,
    answers: { 200: { description: 'the checkpoints', schema: CheckpointList } },
    problems: read,
  },
  currentSession: {
    method: 'GET',
    path: '/v1/current',
    summary: 'The current session of a user and a project',
    query: CurrentQuery,
    takes: ['If-None-Match'],
    answers: {
      200: {
        description: 'the current session, whose ETag changes with its revision; with `all` a page of them',
        schema: Session,
        asked: CurrentPage,
        headers: ['ETag', 'Ledger-Position'],
      },
      304: {
        description: 'known already: by If-None-Match, or still `after` when the wait is over',
        headers: ['ETag'],
      },
    },
    problems: ['no-current-session', 'archived', ...read],
  },
  sessions: {
    method: 'GET',
    path: '/v1/sessions',
    summary: "A scope's sessions, the newest first, in pages; or those of one version of the project",
    query: SessionsQuery,
    answers: { 200: { description: 'sessions, each as of its position', schema: SessionPage, ...placed } },
    problems: ['unknown-version', ...projected],
  },
  chain: {
    method: 'GET',
    path: '/v1/chain',
    summary:
      'The chain of the current or latest session, or of another one, from its tip to its root, in pages',
    query: ChainQuery,
    answers: {
      200: { description: 'sessions, each as of its position, and their sums', schema: ChainPage, ...placed },
    },
    problems: ['unknown-session', 'archived', ...projected],
  },
  usage: {
    method: 'GET',
    path: '/v1/usage',
    summary: 'What was used in a scope, in all of its chains',
    query: UsageQuery,
    answers: { 200: { description: 'the sums', schema: ScopeUsage, ...placed } },
    problems: ['archived', ...projected],
  },
  transitions: {
    method: 'GET',
    path: '/v1/transitions',
    summary: 'Every change of which session is current, the newest first, in pages',
    query: TransitionsQuery,
    answers: { 200: { description: 'transitions', schema: TransitionPage, ...placed } },
    problems: projected,
  },
  report: {
    method: 'POST',
    path: '/v1/reports',
    summary: 'Say which sessions consumers hold, up to 1,000 at once',
    body: Reports,
    answers: { 200: { description: 'how many were taken', schema: ReportsTaken } },
    problems: [
      ...(['invalid-request', 'invalid-json', 'body-too-large', 'unsupported-media-type'] as const),
      ...(['unavailable', 'unknown-outcome'] as const),
    ],
  },
  withdrawReports: {
    method: 'DELETE',
    path: '/v1/reports',
    summary: "Take a consumer's reports back, all of them or that about one scope",
    query: WithdrawQuery,
    answers: { 200: { description: 'how many there were', schema: ReportsWithdrawn } },
    problems: ['invalid-request', 'unavailable', 'unknown-outcome'],
  },
  stats: {
    method: 'GET',
    path: '/v1/stats',
    summary: 'Figures of the ledger, and which consumers hold the current sessions',
    query: StatsQuery,
    answers: { 200: { description: 'figures as of now', schema: Stats } },
    problems: read,
  },
  session: {
    method: 'GET',
    path: '/v1/sessions/:sessionId',
    summary: 'Any session, also one that has ended',
    params: byId,
    answers: {
      200: { description: 'the session, and its stops that were not obeyed', schema: SessionWithRefusals },
    },
    problems: ['unknown-session', ...read],
  },
  scopeEvents: {
    method: 'GET',
    path: '/v1/events',
    summary: "A scope's history, in pages; an ignored stop says how often it came",
    query: EventsQuery,
    answers: { 200: eventPage },
    problems: ['archived', 'position-ahead', ...read],
  },
  scopeStream: {
    method: 'GET',
    path: '/v1/stream',
    summary: "A scope's events as they happen, after the last id received, or from the present on",
    query: ScopeStreamQuery,
    takes: ['Last-Event-ID'],
    answers: { 200: sse },
    problems: ['archived', 'position-ahead', ...read],
  },
  snapshot: {
    method: 'GET',
    path: '/v1/snapshot',
    summary: 'All current sessions, partition by partition, each after the position that it is as of',
    answers: {
      200: {
        description: 'one JSON document a line: {"position":…} starts a partition, {"session":…} follow',
        contentType: 'application/x-ndjson',
      },
    },
    problems: ['unavailable'],
  },
  feed: {
    method: 'GET',
    path: '/v1/feed',
    summary: "A partition's events by number, in pages",
    query: FeedQuery,
    answers: { 200: eventPage },
    problems: ['archived', 'position-ahead', ...read],
  },
  feedStream: {
    method: 'GET',
    path: '/v1/feed/stream',
    summary: 'All partitions as they grow, after the last id received, or from the present on',
    query: FeedStreamQuery,
    takes: ['Last-Event-ID'],
    answers: { 200: sse },
    problems: ['archived', 'position-ahead', ...read],
  },
  problem: {
    method: 'GET',
    path: '/problems/:code',
    summary: "What a problem's type means, and what to do about it",
    params: Type.Object({ code: Type.String() }, closed),
    answers: { 200: { description: 'the problem', schema: ProblemPage } },
    problems: ['not-found'],
  },
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof operations;
