import { type Static, Type } from 'typebox';
import { named } from './components.js';
import { ada, owner } from './examples.js';
import { byId, closed, command, fenced, handles, type Operation, sent, writer } from './operation.js';
import {
  Attributes,
  Epoch,
  Handle,
  HandleKind,
  Id,
  Instant,
  Label,
  Lease,
  NewHandles,
  Owner,
  Policy,
  Position,
  Reason,
  RotationReason,
  Session,
  Usage,
} from './values.js';

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
          'The session ends when the owner confirms it by the same request without this, or after this many seconds',
      }),
    ),
    force: Type.Optional(Type.Boolean()),
  },
  closed,
);

export const TouchBody = named('TouchBody', {}, closed);

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
      description: 'definite: the session can never be continued; transient: it may recover',
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

export const CommandAnswer = named('CommandAnswer', {
  outcome: Type.String({ examples: ['started'] }),
  session: Session,
  current: Type.Optional(
    Type.Union([Session, Type.Null()], {
      description:
        'The current session, if `session` is not or is no longer it. In a repeated answer null says that none is current any more',
    }),
  ),
  ignored: Type.Optional(
    Type.Array(Type.Enum(['attributes', 'fromCheckpoint', 'lease', 'phase', 'policy']), {
      description: 'What the start requested and did not get, because it joined or claimed a session',
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
    Type.Integer({ minimum: 1, description: 'For reported: seconds to wait before a retry' }),
  ),
  position: Position,
});

const answered = {
  schema: CommandAnswer,
  headers: ['Ledger-Position', 'Idempotency-Replayed'],
} as const;

/** What comes to one command. */
export const commands = {
  startSession: {
    method: 'POST',
    path: '/v1/sessions',
    needs: writer,
    summary: 'Start a session, or join the current one',
    ...sent(StartBody, { ...ada, owner, lease: { seconds: 60 }, attributes: { language: 'en' } }),
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
    needs: writer,
    summary: 'Confirm a session that was started in phase "starting"',
    params: byId,
    ...sent(ActivateBody, { epoch: 1 }),
    answers: { 200: { description: 'activated or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', 'session-ending', ...command],
  },
  rotateSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/rotate',
    needs: writer,
    summary: 'Replace a session with its successor: compare-and-swap on session and epoch',
    params: byId,
    ...sent(RotateBody, { epoch: 1, reason: 'build', versionId: 'v42' }),
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
    needs: writer,
    summary: 'Give up ownership without ending the session, for one owner or for any',
    params: byId,
    ...sent(ReleaseBody, { epoch: 1, owner, to: { environment: 'cloud-debug' }, reservedSeconds: 60 }),
    answers: { 200: { description: 'released or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', 'session-ending', 'operate-required', ...command],
  },
  claimOwnership: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/claim',
    needs: writer,
    summary: 'Become the owner of a released session',
    params: byId,
    ...sent(ClaimBody, { epoch: 2, owner: { environment: 'cloud-debug' } }),
    answers: { 200: { description: 'claimed or unchanged', ...answered } },
    problems: [...fenced, 'reserved', 'not-owner', 'session-ending', 'operate-required', ...command],
  },
  endSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/end',
    needs: writer,
    summary: 'Stop a session, at once or after draining; a stale stop changes nothing and is recorded',
    params: byId,
    ...sent(EndBody, { epoch: 1, origin: owner, reason: 'finished' }),
    answers: { 200: { description: 'ended, ending, unchanged or already-ended', ...answered } },
    problems: [...fenced, 'not-owner', 'operate-required', ...command],
  },
  touchSession: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/touch',
    needs: writer,
    summary: 'Report use: renews a lease that is renewed on use',
    params: byId,
    ...sent(TouchBody, {}),
    answers: { 200: { description: 'renewed or unchanged', ...answered } },
    problems: ['stale-session', 'session-ended', 'not-owner', 'unknown-session', ...command],
  },
  changeAttributes: {
    method: 'PATCH',
    path: '/v1/sessions/:sessionId/attributes',
    needs: writer,
    summary: "Change the session's attributes by a JSON merge patch",
    params: byId,
    ...sent(AttributesBody, { epoch: 1, attributes: { language: 'de', draft: null } }),
    answers: { 200: { description: 'changed or unchanged', ...answered } },
    problems: [...fenced, 'invalid-attributes', 'not-owner', ...command],
  },
  changeHandles: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/handles',
    needs: writer,
    summary: 'Bind and unbind outside names of the session and its scope',
    params: byId,
    ...sent(HandlesBody, { epoch: 1, bind: [{ kind: 'mcp-transport', value: 'b7f1', binds: 'scope' }] }),
    answers: { 200: { description: 'changed or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', ...handles, ...command],
  },
  recordUsage: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/usage',
    needs: writer,
    summary: 'Add the usage of an operation to the sums of its session, even if that has ended',
    params: byId,
    ...sent(UsageBody, {
      usage: { inputTokens: 1_200, outputTokens: 300, cost: { amount: '0.0125', currency: 'USD' } },
    }),
    answers: {
      200: {
        description: 'recorded; a repeat without an Idempotency-Key is recorded again',
        ...answered,
      },
    },
    problems: ['usage-overflow', 'too-many-currencies', 'not-owner', 'unknown-session', ...command],
  },
  markCheckpoint: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/checkpoints',
    needs: writer,
    summary: 'Label a session, so that a start can return to it by `fromCheckpoint`',
    params: byId,
    ...sent(CheckpointBody, { label: 'tests green' }),
    answers: { 200: { description: 'marked or unchanged', ...answered } },
    problems: [
      ...(['session-invalid', 'checkpoint-taken', 'too-many-checkpoints', 'not-owner'] as const),
      'unknown-session',
      ...command,
    ],
  },
  reportInvalid: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/invalid',
    needs: writer,
    summary: 'Report a session as invalid, and continue from the latest valid one',
    params: byId,
    ...sent(InvalidBody, { epoch: 1, certainty: 'definite', reason: 'context lost' }),
    answers: {
      200: {
        description: 'recovered, started-fresh, already-recovered, marked-invalid, unchanged or reported',
        ...answered,
        headers: [...answered.headers, 'Retry-After'],
      },
    },
    problems: [...fenced, 'not-owner', 'session-ending', ...command],
  },
} as const satisfies Record<string, Operation>;

export type StartBody = Static<typeof StartBody>;
