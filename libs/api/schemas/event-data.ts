import { type Static, type TSchema, Type } from 'typebox';
import { EVENT_TYPES, type EventOf, type Session as KnownSession, type SessionEventType } from '#session';
import { named } from './components.js';
import { Epoch, KeptUsage, Lease, Owner, Session, SessionId } from './values.js';

/** A session in an event: attributes may have to be forgotten, so there is only their digest. */
const { attributes: _, ...properties } = Session.properties;
export const SessionInEvent = named(
  'SessionInEvent',
  { ...properties, lease: Type.Optional(Lease) },
  { description: 'A session, without its attributes' },
);

const version = {
  version: Type.Integer({ minimum: 1, description: "The event's number in its scope, without gaps" }),
};
const session = { session: SessionInEvent };
const forced = {
  forced: Type.Optional(
    Type.Literal(true, { description: 'A caller with `operate` did this instead of the owner' }),
  ),
  operator: Type.Optional(Type.String({ description: 'The principal that forced it' })),
};
const handle = Type.Object({
  kind: Type.String(),
  hash: Type.String({ description: 'Hash of its keyed hash and an erasable salt of the scope' }),
});
const data = <Fields extends Record<string, TSchema>>(fields: Fields) =>
  Type.Object({ ...version, ...fields });
/** About the scope's latest session, or about one before it. */
const ofAny = <Fields extends Record<string, TSchema>>(fields: Fields) =>
  Type.Union([data({ session: SessionInEvent, ...fields }), data({ previous: SessionInEvent, ...fields })]);

type KeyOf<Event> = Event extends unknown ? keyof Event : never;
/** Events that carry the scope's session and nothing else. */
type Bare = {
  [Type in SessionEventType]: KeyOf<EventOf<Type>> extends 'type' | 'session' ? Type : never;
}[SessionEventType];
const bare = data(session);

/** `data` of the events that carry more than the session as it is afterwards. */
const special = {
  SessionStarted: data({ ...session, insteadOf: Type.Optional(SessionId) }),
  SessionSuperseded: data({ ...session, by: Owner }),
  SessionRotated: data({ ...session, previous: SessionInEvent }),
  OwnershipReleased: data({ ...session, ...forced }),
  OwnershipClaimed: data({ ...session, forced: forced.forced }),
  HandleBound: data({ ...session, handle }),
  HandleUnbound: data({ ...session, handle }),
  DetailsErased: data({ session: Type.Optional(SessionInEvent), operator: Type.String() }),
  SessionEnding: data({ ...session, origin: Owner, ...forced }),
  SessionEnded: data({ ...session, origin: Owner, ...forced }),
  StopIgnored: data({
    sessionId: SessionId,
    origin: Owner,
    epoch: Epoch,
    why: Type.String({ description: 'How the session had ended, or what did not match' }),
  }),
  UsageRecorded: ofAny({ usage: KeptUsage }),
  CheckpointMarked: ofAny({ label: Type.String() }),
  SessionInvalidated: ofAny({}),
  InvalidReported: data({
    ...session,
    reason: Type.String(),
    retryAfter: Type.Integer({ minimum: 0, description: 'Seconds' }),
  }),
} as const satisfies Record<Exclude<SessionEventType, Bare>, TSchema>;

/** `data` of each event. */
export const eventData = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, (special as Partial<Record<SessionEventType, TSchema>>)[type] ?? bare]),
) as typeof special & Record<Bare, typeof bare>;

type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;
type Same<One, Other> = [Plain<One>] extends [Plain<Other>]
  ? [Plain<Other>] extends [Plain<One>]
    ? true
    : false
  : false;
type Own<Data> = Data extends unknown
  ? Omit<Data, 'type' | 'version' | 'session' | 'previous' | 'why'>
  : never;

/**
 * That schemas and types say the same: it does not compile when one has a member that the other lacks. Apart from two,
 * which are looser in the schema: a lease is complete in an event, and an older reader takes a newer `why`.
 */
export type Proven = [
  Proof<Same<Omit<KnownSession, 'lease'>, Omit<Static<typeof SessionInEvent>, 'lease'>>>,
  Proof<
    {
      [Type in SessionEventType]: Same<Own<EventOf<Type>>, Own<Static<(typeof eventData)[Type]>>>;
    }[SessionEventType]
  >,
];
type Proof<Holds extends true> = Holds;
