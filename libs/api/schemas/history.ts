import { Type } from 'typebox';
import { CURRENT_STATUSES } from '#session';
import { named } from './components.js';
import { type Operation, placed, projected, read, reader } from './operation.js';
import {
  AsOf,
  GivenId,
  Id,
  Instant,
  momentThat,
  Owner,
  Position,
  PositionText,
  Session,
  SessionId,
  UsageTotals,
} from './values.js';

const closed = { additionalProperties: false };

const Cursor = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'the `next` of an earlier page',
});

const scope = { userId: Id, projectId: Type.Optional(Id) };
const atLeast = Type.Optional(PositionText);

/** What every list of the history takes. */
const paged = {
  ...scope,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
  after: Type.Optional(Cursor),
  atLeast,
};

export const SessionsQuery = Type.Object({ ...paged, versionId: Type.Optional(Id) }, closed);
export const ChainQuery = Type.Object(
  { ...paged, sessionId: Type.Optional(GivenId), asOf: Type.Optional(AsOf) },
  closed,
);
export const TransitionsQuery = Type.Object(paged, closed);
export const UsageQuery = Type.Object({ ...scope, atLeast, asOf: Type.Optional(AsOf) }, closed);

export const ListCurrentQuery = Type.Object(
  {
    environment: Type.Optional(Id),
    instance: Type.Optional(Id),
    status: Type.Optional(Type.Enum(CURRENT_STATUSES)),
    projectId: Type.Optional(Id),
    before: Type.Optional(momentThat('Those that started before it')),
    leaseBefore: Type.Optional(momentThat('Those with a lease that ends before this unless it is renewed')),
    resetAdvised: Type.Optional(
      Type.Boolean({ description: 'Sessions for which a reset is advised; `false`: the others' }),
    ),
    sort: Type.Optional(
      Type.Enum(['newest', 'oldest', 'lease'], {
        description:
          'newest, by their start, when left out; lease: only sessions with a lease, the earliest end first',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
    next: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,128}$',
        description: 'The `next` of an earlier page, with the same `sort`',
      }),
    ),
  },
  closed,
);

const next = Type.Optional(
  Type.String({ description: 'Pass as `after` for the next page; absent in the last one' }),
);

export const PlacedSession = named(
  'PlacedSession',
  { ...Session.properties, position: Position },
  { description: 'A session, and the event that last changed it' },
);

export const SessionPage = named('SessionPage', {
  sessions: Type.Array(PlacedSession),
  next,
});

export const VersionQuery = Type.Object(
  {
    versionId: Id,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, description: 'Page size; 100 when left out' }),
    ),
    next: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'The `next` of an earlier page' }),
    ),
  },
  closed,
);

export const CurrentList = named(
  'CurrentList',
  {
    sessions: Type.Array(PlacedSession, { maxItems: 500 }),
    next: Type.Optional(Type.String({ description: 'For the next page; absent in the last one' })),
  },
  { description: 'Sessions with a lease also have `lease.expiresAt`' },
);

/** Absent when nothing is in the chain or scope, or until the read models are rebuilt that an older version made. */
const usage = Type.Optional(UsageTotals);

export const ChainPage = named(
  'ChainPage',
  { sessions: Type.Array(PlacedSession), usage, next },
  { description: '`usage` sums all sessions of the chain, including other pages' },
);

export const ScopeUsage = named(
  'ScopeUsage',
  { usage },
  { description: '`usage` sums all sessions of the scope' },
);

export const Transition = named(
  'Transition',
  {
    source: Type.Enum(
      ['started', 'recovered', 'rotated', 'superseded', 'ended', 'expired', 'invalid', 'reset'],
      {
        description: 'Why the current session changed',
      },
    ),
    from: Type.Optional(SessionId),
    to: Type.Optional(SessionId),
    by: Type.Optional(Owner),
    reason: Type.Optional(Type.String()),
    versionId: Type.Optional(Type.String()),
    at: Instant,
    position: Position,
  },
  { description: '`from` is absent if no session was current before, `to` if none is current after' },
);

export const TransitionPage = named('TransitionPage', { transitions: Type.Array(Transition), next });

/** What was, from the read models. */
export const history = {
  sessions: {
    method: 'GET',
    path: '/v1/sessions',
    needs: reader,
    summary: "A scope's sessions, the newest first, in pages; or those of one version of the project",
    query: SessionsQuery,
    answers: { 200: { description: 'sessions, each as of its position', schema: SessionPage, ...placed } },
    problems: ['unknown-version', ...projected],
  },
  listCurrent: {
    method: 'GET',
    path: '/v1/sessions/current',
    needs: reader,
    summary: "All of the tenant's current sessions that match, in pages",
    query: ListCurrentQuery,
    answers: { 200: { description: 'sessions, each as of its position', schema: CurrentList } },
    problems: read,
  },
  versionSessions: {
    method: 'GET',
    path: '/v1/sessions/of-version',
    needs: reader,
    summary: 'Sessions made with a version of any project, newest first, in pages',
    query: VersionQuery,
    answers: {
      200: {
        description: 'sessions, each as of its position; a page may have few even if more follow',
        schema: SessionPage,
      },
    },
    problems: read,
  },
  chain: {
    method: 'GET',
    path: '/v1/chain',
    needs: reader,
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
    needs: reader,
    summary: 'Usage of a scope, summed over all its chains',
    query: UsageQuery,
    answers: { 200: { description: 'the sums', schema: ScopeUsage, ...placed } },
    problems: ['archived', ...projected],
  },
  transitions: {
    method: 'GET',
    path: '/v1/transitions',
    needs: reader,
    summary: 'Every change of which session is current, the newest first, in pages',
    query: TransitionsQuery,
    answers: { 200: { description: 'transitions', schema: TransitionPage, ...placed } },
    problems: projected,
  },
} as const satisfies Record<string, Operation>;
