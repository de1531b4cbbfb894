import { type Static, Type } from 'typebox';
import {
  Attributes,
  Epoch,
  GivenId,
  Handle,
  Id,
  Label,
  Lease,
  NewHandles,
  Owner,
  Policy,
  Reason,
  RotationReason,
  Selection,
  Usage,
} from './values.js';

const closed = { additionalProperties: false };
const byOwner = { epoch: Epoch, owner: Type.Optional(Owner) };

export const StartBody = Type.Object(
  {
    userId: Id,
    projectId: Type.Optional(Id),
    owner: Owner,
    onConflict: Type.Optional(
      Type.Enum(['supersede', 'reject', 'join'], { description: 'supersede when left out' }),
    ),
    expectedEpoch: Type.Optional(Epoch),
    phase: Type.Optional(Type.Enum(['starting', 'active'], { description: 'active when left out' })),
    lease: Type.Optional(Lease),
    handles: Type.Optional(NewHandles),
    attributes: Type.Optional(Attributes),
    policy: Type.Optional(Policy),
    fromCheckpoint: Type.Optional(Label),
  },
  closed,
);

export const ActivateBody = Type.Object(byOwner, closed);

export const RotateBody = Type.Object(
  {
    ...byOwner,
    reason: RotationReason,
    versionId: Type.Optional(Id),
    successorHandle: Type.Optional(Handle),
    handles: Type.Optional(NewHandles),
    usage: Type.Optional(Usage),
  },
  closed,
);

export const ReleaseBody = Type.Object(
  {
    ...byOwner,
    to: Type.Optional(Owner),
    reservedSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        description: 'How long only `to` may claim; 60 when left out',
      }),
    ),
    force: Type.Optional(Type.Boolean()),
  },
  closed,
);

export const ClaimBody = Type.Object(
  { epoch: Epoch, owner: Owner, lease: Type.Optional(Lease), force: Type.Optional(Type.Boolean()) },
  closed,
);

export const EndBody = Type.Object(
  {
    epoch: Epoch,
    origin: Owner,
    reason: Reason,
    drainSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        description:
          'Ends when the owner confirms it by the same request without this, or after so many seconds',
      }),
    ),
    force: Type.Optional(Type.Boolean()),
  },
  closed,
);

export const RenewBody = Type.Object({ epoch: Epoch }, closed);

export const TouchBody = Type.Object({}, closed);

export const RenewManyBody = Type.Array(Type.Object({ sessionId: GivenId, epoch: Epoch }, closed), {
  minItems: 1,
  maxItems: 1_000,
  description: 'from 1 to 1,000 leases, each session once',
});

export const AttributesBody = Type.Object(
  {
    ...byOwner,
    attributes: Type.Object({}, { additionalProperties: true, description: 'A JSON merge patch (RFC 7396)' }),
  },
  closed,
);

export const UsageBody = Type.Object({ usage: Usage }, closed);

export const CheckpointBody = Type.Object({ label: Label }, closed);

export const InvalidBody = Type.Object(
  {
    ...byOwner,
    certainty: Type.Enum(['definite', 'transient'], {
      description: 'definite: the session can never be continued; transient: it may yet',
    }),
    reason: Reason,
    fallback: Type.Optional(
      Type.Enum(['latest-valid', 'start-fresh'], { description: 'latest-valid when left out' }),
    ),
  },
  closed,
);

export const HandlesBody = Type.Object(
  {
    ...byOwner,
    bind: Type.Optional(NewHandles),
    unbind: Type.Optional(Type.Array(Handle, { maxItems: 8, description: 'at most 8, each once' })),
  },
  closed,
);

const Candidate = Type.Union([Handle, Type.Object({ sessionId: GivenId, epoch: Epoch }, closed)]);

export const ResolveBody = Type.Object(
  {
    candidates: Type.Array(Candidate, {
      minItems: 1,
      maxItems: 16,
      description: 'from 1 to 16, the most explicit first: handles, or references of session and epoch',
    }),
    override: Type.Optional(
      Type.Boolean({ description: 'The first candidate decides, whatever the others say' }),
    ),
  },
  closed,
);

export const BulkBody = Type.Object(
  { select: Selection, action: Type.Enum(['end', 'release']), reason: Reason },
  closed,
);

export type StartBody = Static<typeof StartBody>;
export type ActivateBody = Static<typeof ActivateBody>;
export type RotateBody = Static<typeof RotateBody>;
export type ReleaseBody = Static<typeof ReleaseBody>;
export type ClaimBody = Static<typeof ClaimBody>;
export type EndBody = Static<typeof EndBody>;
export type RenewBody = Static<typeof RenewBody>;
export type RenewManyBody = Static<typeof RenewManyBody>;
export type HandlesBody = Static<typeof HandlesBody>;
export type ResolveBody = Static<typeof ResolveBody>;
export type BulkBody = Static<typeof BulkBody>;
export type AttributesBody = Static<typeof AttributesBody>;
export type UsageBody = Static<typeof UsageBody>;
export type CheckpointBody = Static<typeof CheckpointBody>;
export type InvalidBody = Static<typeof InvalidBody>;
