import { type Static, Type } from 'typebox';
import { NAME, named } from './components.js';
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

export const StartBody = named(
  'StartBody',
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

export const ActivateBody = named('ActivateBody', byOwner, closed);

export const RotateBody = named(
  'RotateBody',
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

export const ReleaseBody = named(
  'ReleaseBody',
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

export const ClaimBody = named(
  'ClaimBody',
  { epoch: Epoch, owner: Owner, lease: Type.Optional(Lease), force: Type.Optional(Type.Boolean()) },
  closed,
);

export const EndBody = named(
  'EndBody',
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

export const RenewBody = named('RenewBody', { epoch: Epoch }, closed);

export const TouchBody = named('TouchBody', {}, closed);

export const RenewManyBody = Type.Array(Type.Object({ sessionId: GivenId, epoch: Epoch }, closed), {
  [NAME]: 'RenewManyBody',
  minItems: 1,
  maxItems: 1_000,
  description: 'from 1 to 1,000 leases, each session once',
});

export const AttributesBody = named(
  'AttributesBody',
  {
    ...byOwner,
    attributes: Type.Object({}, { additionalProperties: true, description: 'A JSON merge patch (RFC 7396)' }),
  },
  closed,
);

export const UsageBody = named('UsageBody', { usage: Usage }, closed);

export const CheckpointBody = named('CheckpointBody', { label: Label }, closed);

export const InvalidBody = named(
  'InvalidBody',
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

export const HandlesBody = named(
  'HandlesBody',
  {
    ...byOwner,
    bind: Type.Optional(NewHandles),
    unbind: Type.Optional(Type.Array(Handle, { maxItems: 8, description: 'at most 8, each once' })),
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
      Type.Boolean({ description: 'The first candidate decides, whatever the others say' }),
    ),
  },
  closed,
);

export const BulkBody = named(
  'BulkBody',
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
