import { type Static, Type } from 'typebox';
import { named } from './components.js';
import {
  AsOf,
  GivenId,
  Id,
  Instant,
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
  description: 'what an earlier page gave as `next`',
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

export type SessionsQuery = Static<typeof SessionsQuery>;
export type ChainQuery = Static<typeof ChainQuery>;
export type TransitionsQuery = Static<typeof TransitionsQuery>;
export type UsageQuery = Static<typeof UsageQuery>;

const next = Type.Optional(
  Type.String({ description: 'What to ask for with `after`; absent when this is the last page' }),
);

export const PlacedSession = named(
  'PlacedSession',
  { ...Session.properties, position: Position },
  { description: 'A session, and the event that it was last changed by' },
);

export const SessionPage = named('SessionPage', {
  sessions: Type.Array(PlacedSession),
  next,
});

/** Absent when nothing is in the chain or scope, or until the read models are rebuilt that an older version made. */
const usage = Type.Optional(UsageTotals);

export const ChainPage = named(
  'ChainPage',
  { sessions: Type.Array(PlacedSession), usage, next },
  { description: '`usage`: of all sessions of the chain, also of those on other pages' },
);

export const ScopeUsage = named(
  'ScopeUsage',
  { usage },
  { description: '`usage`: of all sessions of the scope' },
);

export const Transition = named(
  'Transition',
  {
    source: Type.Enum(
      ['started', 'recovered', 'rotated', 'superseded', 'ended', 'expired', 'invalid', 'reset'],
      {
        description: 'Why the current session is another one',
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
  { description: '`from` is absent when none was current, `to` when none is any more' },
);

export const TransitionPage = named('TransitionPage', { transitions: Type.Array(Transition), next });
