import { type Static, Type } from 'typebox';
import { AsOf, Id, Instant, Owner, Position, PositionText, Session, SessionId } from './values.js';

const closed = { additionalProperties: false };

const Cursor = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'what an earlier page gave as `next`',
});

/** What every read of the history takes. */
const paged = {
  userId: Id,
  projectId: Type.Optional(Id),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
  after: Type.Optional(Cursor),
  atLeast: Type.Optional(PositionText),
};

export const SessionsQuery = Type.Object({ ...paged, versionId: Type.Optional(Id) }, closed);
export const ChainQuery = Type.Object(
  { ...paged, sessionId: Type.Optional(SessionId), asOf: Type.Optional(AsOf) },
  closed,
);
export const TransitionsQuery = Type.Object(paged, closed);

export type SessionsQuery = Static<typeof SessionsQuery>;
export type ChainQuery = Static<typeof ChainQuery>;
export type TransitionsQuery = Static<typeof TransitionsQuery>;

const next = Type.Optional(
  Type.String({ description: 'What to ask for with `after`; absent when this is the last page' }),
);

export const PlacedSession = Type.Object(
  { ...Session.properties, position: Position },
  { description: 'A session, and the event that it was last changed by' },
);

export const SessionPage = Type.Object({
  sessions: Type.Array(PlacedSession),
  next,
});

export const Transition = Type.Object(
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

export const TransitionPage = Type.Object({ transitions: Type.Array(Transition), next });
