import { Type } from 'typebox';
import { Epoch, Id, Instant, Owner, Position, Reason, Selection, Session } from './values.js';

export const CurrentPage = Type.Object({
  sessions: Type.Array(Session, { maxItems: 100 }),
  next: Type.Optional(Type.String({ description: 'For the next page; absent in the last one' })),
});

/** Most refusals that a session is shown with. */
export const MOST_REFUSALS = 100;
const Refusal = Type.Object({
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

export const SessionWithRefusals = Type.Intersect([
  Session,
  Type.Object({
    refusals: Type.Array(Refusal, {
      maxItems: MOST_REFUSALS,
      description: `Stops of this session that were not obeyed: the newest ${MOST_REFUSALS}, the newest first`,
    }),
  }),
]);

export const ErasedAnswer = Type.Object({
  outcome: Type.Enum(['erased', 'unchanged'], { description: 'unchanged when there was nothing to erase' }),
  erased: Type.Array(Type.Object({ scope: Type.Object({ userId: Id, projectId: Id }), position: Position }), {
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
export const BulkJob = Type.Object(
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
  { $id: 'BulkJob', description: 'Kept for 30 days after it was finished' },
);

export const ProblemPage = Type.Object({
  type: Type.String({ description: '/problems/<code>' }),
  title: Type.String(),
  status: Type.Integer(),
  retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
  retryAfter: Type.Optional(Type.Integer({ description: 'Seconds to wait before' })),
  advice: Type.Optional(Type.String({ description: 'What to do, where the title does not say it' })),
});
