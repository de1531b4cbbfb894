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

/** A command for the session in its path. */
const ofSession = { method: 'POST', needs: writer, params: byId } as const;

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
    ...ofSession,
    path: '/v1/sessions/:sessionId/activate',
    summary: 'Confirm a session that was started in phase "starting"',
    ...sent(ActivateBody, { epoch: 1 }),
    answers: { 200: { description: 'activated or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', 'session-ending', ...command],
  },
  rotateSession: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/rotate',
    summary: 'Replace a session with its successor: compare-and-swap on session and epoch',
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
    ...ofSession,
    path: '/v1/sessions/:sessionId/release',
    summary: 'Give up ownership without ending the session, for one owner or for any',
    ...sent(ReleaseBody, { epoch: 1, owner, to: { environment: 'cloud-debug' }, reservedSeconds: 60 }),
    answers: { 200: { description: 'released or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', 'session-ending', 'operate-required', ...command],
  },
  claimOwnership: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/claim',
    summary: 'Become the owner of a released session',
    ...sent(ClaimBody, { epoch: 2, owner: { environment: 'cloud-debug' } }),
    answers: { 200: { description: 'claimed or unchanged', ...answered } },
    problems: [...fenced, 'reserved', 'not-owner', 'session-ending', 'operate-required', ...command],
  },
  endSession: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/end',
    summary: 'Stop a session, at once or after draining; a stale stop changes nothing and is recorded',
    ...sent(EndBody, { epoch: 1, origin: owner, reason: 'finished' }),
    answers: { 200: { description: 'ended, ending, unchanged or already-ended', ...answered } },
    problems: [...fenced, 'not-owner', 'operate-required', ...command],
  },
  touchSession: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/touch',
    summary: 'Report use: renews a lease that is renewed on use',
    ...sent(TouchBody, {}),
    answers: { 200: { description: 'renewed or unchanged', ...answered } },
    problems: ['stale-session', 'session-ended', 'not-owner', 'unknown-session', ...command],
  },
  changeAttributes: {
    ...ofSession,
    method: 'PATCH',
    path: '/v1/sessions/:sessionId/attributes',
    summary: "Change the session's attributes by a JSON merge patch",
    ...sent(AttributesBody, { epoch: 1, attributes: { language: 'de', draft: null } }),
    answers: { 200: { description: 'changed or unchanged', ...answered } },
    problems: [...fenced, 'invalid-attributes', 'not-owner', ...command],
  },
  changeHandles: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/handles',
    summary: 'Bind and unbind outside names of the session and its scope',
    ...sent(HandlesBody, { epoch: 1, bind: [{ kind: 'mcp-transport', value: 'b7f1', binds: 'scope' }] }),
    answers: { 200: { description: 'changed or unchanged', ...answered } },
    problems: [...fenced, 'not-owner', ...handles, ...command],
  },
  recordUsage: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/usage',
    summary: 'Add the usage of an operation to the sums of its session, even if that has ended',
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
    ...ofSession,
    path: '/v1/sessions/:sessionId/checkpoints',
    summary: 'Label a session, so that a start can return to it by `fromCheckpoint`',
    ...sent(CheckpointBody, { label: 'tests green' }),
    answers: { 200: { description: 'marked or unchanged', ...answered } },
    problems: [
      ...(['session-invalid', 'checkpoint-taken', 'too-many-checkpoints', 'not-owner'] as const),
      'unknown-session',
      ...command,
    ],
  },
  reportInvalid: {
    ...ofSession,
    path: '/v1/sessions/:sessionId/invalid',
    summary: 'Report a session as invalid, and continue from the latest valid one',
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
