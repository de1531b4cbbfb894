import { Type } from 'typebox';
import { NAME, named } from './components.js';
import { LedgerEvent } from './event.js';
import { Problem } from './problem-body.js';
import {
  Epoch,
  HandleKind,
  Instant,
  Label,
  Owner,
  Position,
  Reason,
  Scope,
  Selection,
  Session,
  SessionId,
} from './values.js';

export const CommandAnswer = named('CommandAnswer', {
  outcome: Type.String({ examples: ['started'] }),
  session: Session,
  current: Type.Optional(
    Type.Union([Session, Type.Null()], {
      description:
        'The current session, where `session` is not it as it is now. In an answer that is given again null says that none is any more',
    }),
  ),
  ignored: Type.Optional(
    Type.Array(Type.Enum(['attributes', 'fromCheckpoint', 'lease', 'phase', 'policy']), {
      description: 'What a start asked for and did not get, because it joined or claimed a session',
    }),
  ),
  dropped: Type.Optional(
    Type.Array(
      Type.Object({
        kind: HandleKind,
        boundAt: Type.Optional(Instant),
      }),
      {
        description:
          'Handles that the scope lost to new ones, since it keeps 32: when each was bound last, the oldest first. Not in an answer that is repeated by its key',
      },
    ),
  ),
  retryAfter: Type.Optional(
    Type.Integer({ minimum: 1, description: 'For reported: in how many seconds to try again' }),
  ),
  position: Position,
});

export const Renewed = named('Renewed', {
  outcome: Type.Literal('renewed'),
  sessionId: SessionId,
  until: Instant,
});
export const NotRenewed = named('NotRenewed', { sessionId: SessionId, problem: Problem });
export const RenewedMany = named('RenewedMany', { results: Type.Array(Type.Union([Renewed, NotRenewed])) });

export const Resolved = named('Resolved', {
  session: Session,
  unknown: Type.Array(Type.Integer({ minimum: 0 }), {
    description: 'Which candidates, counted from 0, are handles that nobody has bound',
  }),
});

export const CheckpointList = named('CheckpointList', {
  checkpoints: Type.Array(Type.Object({ label: Label, sessionId: SessionId, markedAt: Instant })),
});

export const EventPage = named('EventPage', {
  events: Type.Array(LedgerEvent),
  next: Type.Optional(Type.Integer()),
});

export const CurrentPage = named('CurrentPage', {
  sessions: Type.Array(Session, { maxItems: 100 }),
  next: Type.Optional(Type.String({ description: 'For the next page; absent in the last one' })),
});

/** Most refusals that a session is shown with. */
export const MOST_REFUSALS = 100;
export const Refusal = named('Refusal', {
  origin: Type.Optional(Owner),
  epoch: Type.Optional(Epoch),
  why: Type.String({ description: 'How the session had ended, or what did not match' }),
  count: Type.Integer({ minimum: 1, description: 'How often it came' }),
  position: Position,
  at: Type.Optional(Instant),
  archived: Type.Optional(
    Type.Literal(true, {
      description: 'The event at `position` is in the archive, and with it origin, epoch and at',
    }),
  ),
});

export const SessionWithRefusals = Type.Intersect(
  [
    Session,
    Type.Object({
      refusals: Type.Array(Refusal, {
        maxItems: MOST_REFUSALS,
        description: `Stops of this session that were not obeyed: the newest ${MOST_REFUSALS}, the newest first`,
      }),
    }),
  ],
  { [NAME]: 'SessionWithRefusals' },
);

export const ErasedAnswer = named('ErasedAnswer', {
  outcome: Type.Enum(['erased', 'unchanged'], { description: 'unchanged when there was nothing to erase' }),
  erased: Type.Array(Type.Object({ scope: Scope, position: Position }), {
    maxItems: 500,
    description: 'The scopes whose details went; positions of their DetailsErased',
  }),
  complete: Type.Boolean({ description: 'false: details of more scopes are left; repeat the request' }),
});

const Counts = Type.Object({
  examined: Type.Integer({ description: 'Sessions that matched; the sum of the others' }),
  changed: Type.Integer({ description: 'Ended or released by this job' }),
  skipped: Type.Integer({ description: 'Had changed so that they do not match, or nothing was to be done' }),
  failed: Type.Integer({ description: 'Could not be decided; the log of the service says why' }),
});
export const BulkJob = named(
  'BulkJob',
  {
    jobId: Type.String(),
    state: Type.Enum(['open', 'finished']),
    select: Selection,
    action: Type.Enum(['end', 'release']),
    reason: Reason,
    counts: Counts,
    partitions: Type.Object({ done: Type.Integer(), of: Type.Integer() }),
    createdAt: Instant,
    updatedAt: Instant,
    finishedAt: Type.Optional(Instant),
  },
  { description: 'Kept for 30 days after it was finished' },
);

export const ProblemPage = named('ProblemPage', {
  type: Type.String({ description: '/problems/<code>' }),
  title: Type.String(),
  status: Type.Integer(),
  retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
  retryAfter: Type.Optional(Type.Integer({ description: 'Seconds to wait before' })),
  advice: Type.Optional(Type.String({ description: 'What to do, where the title does not say it' })),
});
