// Generated from libs/api/schemas by `npm run generate`. Do not edit.

import type { Needs, Schema } from '#api';
import type { OperationId } from '#client';

const Id = {
  type: 'string',
  minLength: 1,
  maxLength: 256,
  pattern: '^[^\\p{Cc}\\p{Cs}]*$',
  description: '1 to 256 characters, valid Unicode, no control characters',
};

const Owner = {
  type: 'object',
  required: ['environment'],
  properties: { environment: Id, instance: Id },
  additionalProperties: false,
  description: 'Who runs the session',
};

const Epoch = {
  type: 'integer',
  minimum: 0,
  maximum: 9007199254740991,
  description: 'Fencing token: rises at every change of the current session or of its owner, and at its end',
};

const Lease = {
  type: 'object',
  required: ['seconds'],
  properties: {
    seconds: {
      type: 'integer',
      minimum: 1,
      maximum: 2592000,
      description: 'A whole number from 1 to 2592000 (30 days)',
    },
    graceSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: 2592000,
      description: 'How long the session waits for its old owner after a lapse; 60 when left out',
    },
    renewOn: {
      enum: ['heartbeat', 'use'],
      description: 'heartbeat when left out; use makes it an idle time-out',
    },
    onLapse: { enum: ['release', 'end'], description: 'release when left out' },
  },
  additionalProperties: false,
  description: 'How long ownership lasts without a sign of life',
};

const HandleKind = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[a-z0-9_.-]+$',
  description: 'a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear',
};

const HandleValue = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  pattern: '^[^\\p{Cc}\\p{Cs}]*$',
  description: '1 to 1024 characters, valid Unicode, no control characters; kept as a keyed hash only',
};

const NewHandle = {
  type: 'object',
  required: ['kind', 'value', 'binds'],
  properties: {
    kind: HandleKind,
    value: HandleValue,
    binds: {
      enum: ['scope', 'session'],
      description:
        'scope: routing to whatever is current (32 a scope, the oldest is dropped); session: stays with the session until a later one of the scope brings it (8 a session)',
    },
  },
  additionalProperties: false,
  description: 'An outside name and what it is bound to',
};

const NewHandles = { type: 'array', items: NewHandle, maxItems: 8, description: 'at most 8, each once' };

const Attributes = {
  type: 'object',
  properties: {},
  additionalProperties: true,
  description: 'Facts kept with the session, erasable: at most 4 KiB as JSON, nested at most 8 deep',
};

const Policy = {
  type: 'object',
  properties: {
    maxChainLength: {
      type: 'integer',
      minimum: 1,
      maximum: 100000,
      description: 'A whole number from 1 to 100000: only a reset leads on from there',
    },
    adviseAt: {
      type: 'integer',
      minimum: 1,
      maximum: 100000,
      description:
        'From which chain length a reset is advised: from 1 to maxChainLength, which it is when left out',
    },
    endReleasedAfterSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 2592000,
      description:
        'A whole number from 1 to 2592000 (30 days): a released session expires this long after the release, or after its reservation; never when left out',
    },
  },
  additionalProperties: false,
  minProperties: 1,
  description: 'What holds for the chain: one of these at least',
};

const Label = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  pattern: '^[^\\p{Cc}\\p{Cs}]*$',
  description: '1 to 128 characters, no control characters; stays in the log, so no personal data',
};

const GivenId = {
  type: 'string',
  pattern: '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$',
  description: 'a UUID, in upper or lower case',
  examples: ['01920000-0000-7003-8000-000000000000'],
  'x-case-insensitive': true,
};

const RotationReason = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[a-z0-9_.-]+$',
  description:
    'a-z, 0-9, _ . and -: build, metadata_generation, compact, chat_plan, resume, reset, or one of your own',
};

const Handle = {
  type: 'object',
  required: ['kind', 'value'],
  properties: { kind: HandleKind, value: HandleValue },
  additionalProperties: false,
  description: 'An outside name',
};

const Money = {
  type: 'object',
  required: ['amount', 'currency'],
  properties: {
    amount: {
      type: ['string', 'number'],
      maxLength: 64,
      pattern: '^(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d{1,3})?$',
      minimum: 0,
      description:
        'A decimal, such as "0.0125" or 1.5e-7: no sign, up to 18 digits before the point and 30 after it. It is answered as text, without exponent',
      examples: ['0.0125'],
    },
    currency: {
      type: 'string',
      pattern: '^[A-Z]{3}$',
      description: 'ISO 4217: three capital letters',
      examples: ['EUR'],
    },
  },
  additionalProperties: false,
  description: 'An exact amount of money, in one currency',
};

const Usage = {
  type: 'object',
  properties: {
    inputTokens: {
      type: 'integer',
      minimum: 0,
      maximum: 9007199254740991,
      description: 'A whole number from 0 to 2^53-1',
    },
    outputTokens: {
      type: 'integer',
      minimum: 0,
      maximum: 9007199254740991,
      description: 'A whole number from 0 to 2^53-1',
    },
    cachedTokens: {
      type: 'integer',
      minimum: 0,
      maximum: 9007199254740991,
      description: 'Of the input, those from a cache: a whole number from 0 to 2^53-1',
    },
    durationMs: {
      type: 'integer',
      minimum: 0,
      maximum: 9007199254740991,
      description: 'Milliseconds: a whole number from 0 to 2^53-1',
    },
    cost: Money,
    model: {
      type: 'string',
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\p{Cc}\\p{Cs}]*$',
      description: '1 to 128 characters, valid Unicode, no control characters',
    },
  },
  additionalProperties: false,
  minProperties: 1,
  description: 'What one operation used: at least one of these',
};

const Reason = {
  type: 'string',
  minLength: 1,
  maxLength: 64,
  pattern: '^[^\\p{Cc}\\p{Cs}]*$',
  description: '1 to 64 characters; stays in the log, so no personal data',
};

const AsOf = {
  type: 'string',
  pattern:
    '^([0-9]{1,4}:[0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))$',
  description: 'an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past',
  examples: ['2026-01-31T12:00:00Z', '3:1042'],
};

const PositionText = {
  type: 'string',
  pattern: '^[0-9]{1,4}:[0-9]{1,16}$',
  description: 'a position, partition:sequence, as a Ledger-Position header gives it',
  examples: ['3:1042'],
};

const Selection = {
  type: 'object',
  properties: { userId: Id, environment: Id, instance: Id },
  additionalProperties: false,
  description: 'userId: all sessions of the user. environment: those that it owns, or only its instance',
};

/** By operation: what it needs, and the schemas that the service validates with. */
export const schemas: Record<OperationId, { needs: Needs; params?: Schema; query?: Schema; body?: Schema }> =
  {
    startSession: {
      needs: ['write'],
      body: {
        type: 'object',
        required: ['userId', 'owner'],
        properties: {
          userId: Id,
          projectId: Id,
          owner: Owner,
          onConflict: { enum: ['supersede', 'reject', 'join'], description: 'supersede when left out' },
          expectedEpoch: Epoch,
          phase: { enum: ['starting', 'active'], description: 'active when left out' },
          lease: Lease,
          handles: NewHandles,
          attributes: Attributes,
          policy: Policy,
          fromCheckpoint: Label,
        },
        additionalProperties: false,
      },
    },
    activateSession: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch'],
        properties: { epoch: Epoch, owner: Owner },
        additionalProperties: false,
      },
    },
    rotateSession: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch', 'reason'],
        properties: {
          epoch: Epoch,
          owner: Owner,
          reason: RotationReason,
          versionId: Id,
          successorHandle: Handle,
          handles: NewHandles,
          usage: Usage,
        },
        additionalProperties: false,
      },
    },
    releaseOwnership: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch'],
        properties: {
          epoch: Epoch,
          owner: Owner,
          to: Owner,
          reservedSeconds: {
            type: 'integer',
            minimum: 1,
            maximum: 86400,
            description: 'How long only `to` may claim; 60 when left out',
          },
          force: { type: 'boolean' },
        },
        additionalProperties: false,
      },
    },
    claimOwnership: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch', 'owner'],
        properties: { epoch: Epoch, owner: Owner, lease: Lease, force: { type: 'boolean' } },
        additionalProperties: false,
      },
    },
    endSession: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch', 'origin', 'reason'],
        properties: {
          epoch: Epoch,
          origin: Owner,
          reason: Reason,
          drainSeconds: {
            type: 'integer',
            minimum: 1,
            maximum: 86400,
            description:
              'The session ends when the owner confirms it by the same request without this, or after this many seconds',
          },
          force: { type: 'boolean' },
        },
        additionalProperties: false,
      },
    },
    touchSession: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: { type: 'object', properties: {}, additionalProperties: false },
    },
    changeAttributes: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch', 'attributes'],
        properties: {
          epoch: Epoch,
          owner: Owner,
          attributes: {
            type: 'object',
            properties: {},
            additionalProperties: true,
            description: 'A JSON merge patch (RFC 7396)',
          },
        },
        additionalProperties: false,
      },
    },
    changeHandles: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch'],
        properties: {
          epoch: Epoch,
          owner: Owner,
          bind: NewHandles,
          unbind: { type: 'array', items: Handle, maxItems: 8, description: 'at most 8, each once' },
        },
        additionalProperties: false,
      },
    },
    recordUsage: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['usage'],
        properties: { usage: Usage },
        additionalProperties: false,
      },
    },
    markCheckpoint: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['label'],
        properties: { label: Label },
        additionalProperties: false,
      },
    },
    reportInvalid: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch', 'certainty', 'reason'],
        properties: {
          epoch: Epoch,
          owner: Owner,
          certainty: {
            enum: ['definite', 'transient'],
            description: 'definite: the session can never be continued; transient: it may recover',
          },
          reason: Reason,
          fallback: { enum: ['latest-valid', 'start-fresh'], description: 'latest-valid when left out' },
        },
        additionalProperties: false,
      },
    },
    sendCommands: {
      needs: ['write'],
      body: {
        type: 'object',
        required: ['commands'],
        properties: {
          commands: {
            type: 'array',
            items: {
              type: 'object',
              required: ['operation'],
              properties: {
                operation: {
                  type: 'string',
                  minLength: 1,
                  maxLength: 64,
                  description:
                    'One of startSession, activateSession, rotateSession, releaseOwnership, claimOwnership, endSession, touchSession, changeAttributes, changeHandles, recordUsage, markCheckpoint, reportInvalid',
                  examples: ['startSession'],
                },
                sessionId: {
                  type: 'string',
                  maxLength: 64,
                  description: 'For every operation except startSession',
                },
                body: {
                  type: 'object',
                  properties: {},
                  additionalProperties: true,
                  description: 'The body of the single operation',
                },
                idempotencyKey: {
                  type: 'string',
                  description: '1 to 256 characters; each command has its own',
                },
              },
              additionalProperties: false,
            },
            minItems: 1,
            maxItems: 500,
            description: 'from 1 to 500',
          },
        },
        additionalProperties: false,
      },
    },
    currentSessions: {
      needs: ['read'],
      body: {
        type: 'object',
        required: ['of'],
        properties: {
          of: {
            type: 'array',
            items: {
              anyOf: [
                {
                  type: 'object',
                  required: ['userId'],
                  properties: { userId: Id, projectId: Id },
                  additionalProperties: false,
                },
                {
                  type: 'object',
                  required: ['sessionId'],
                  properties: { sessionId: GivenId },
                  additionalProperties: false,
                },
                Handle,
              ],
            },
            minItems: 1,
            maxItems: 500,
            description: 'from 1 to 500: scopes, or sessions or handles whose scope is meant',
          },
        },
        additionalProperties: false,
      },
    },
    renewLease: {
      needs: ['write'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        required: ['epoch'],
        properties: { epoch: Epoch },
        additionalProperties: false,
      },
    },
    renewLeases: {
      needs: ['write'],
      body: {
        type: 'array',
        items: {
          type: 'object',
          required: ['sessionId', 'epoch'],
          properties: { sessionId: GivenId, epoch: Epoch },
          additionalProperties: false,
        },
        minItems: 1,
        maxItems: 1000,
        description: 'from 1 to 1,000 leases, each session once',
      },
    },
    currentSession: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: {
          userId: Id,
          projectId: Id,
          wait: {
            type: 'integer',
            minimum: 1,
            maximum: 60,
            description:
              'Seconds to wait while the revision equals `after`; otherwise the answer comes at once',
          },
          after: {
            type: 'integer',
            minimum: 0,
            maximum: 9007199254740991,
            description:
              'The revision that is known; 0 when left out, which is that of a scope without a session',
          },
          all: {
            type: 'boolean',
            description: "All of the user's current sessions, of any project, 100 a page",
          },
          next: { type: 'string', maxLength: 64, description: 'With `all`: the `next` of the previous page' },
          asOf: AsOf,
          include: {
            enum: ['lease'],
            description:
              'Adds `lease.expiresAt`, the end of the lease unless it is renewed. All times then include what an outage has added',
          },
        },
        additionalProperties: false,
      },
    },
    session: {
      needs: ['read'],
      params: {
        type: 'object',
        required: ['sessionId'],
        properties: { sessionId: GivenId },
        additionalProperties: false,
      },
    },
    resolve: {
      needs: ['read'],
      body: {
        type: 'object',
        required: ['candidates'],
        properties: {
          candidates: {
            type: 'array',
            items: {
              anyOf: [
                Handle,
                {
                  type: 'object',
                  required: ['sessionId', 'epoch'],
                  properties: { sessionId: GivenId, epoch: Epoch },
                  additionalProperties: false,
                },
              ],
            },
            minItems: 1,
            maxItems: 16,
            description: 'from 1 to 16, the most explicit first: handles, or references of session and epoch',
          },
          override: { type: 'boolean', description: 'The first candidate decides, even if others differ' },
        },
        additionalProperties: false,
      },
    },
    checkpoints: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: { userId: Id, projectId: Id },
        additionalProperties: false,
      },
    },
    scopeEvents: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: {
          userId: Id,
          projectId: Id,
          after: {
            type: 'integer',
            minimum: 0,
            maximum: 9007199254740991,
            description: 'A version; 0 when left out',
          },
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
        },
        additionalProperties: false,
      },
    },
    sessions: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: {
          userId: Id,
          projectId: Id,
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
          after: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{1,64}$',
            description: 'the `next` of an earlier page',
          },
          atLeast: PositionText,
          versionId: Id,
        },
        additionalProperties: false,
      },
    },
    listCurrent: {
      needs: ['read'],
      query: {
        type: 'object',
        properties: {
          environment: Id,
          instance: Id,
          status: { enum: ['starting', 'active', 'released', 'ending'] },
          projectId: Id,
          before: {
            type: 'string',
            pattern:
              '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$',
            description: 'Those that started before it: an RFC 3339 time (a + in it is sent as %2B)',
            examples: ['2026-01-31T12:00:00Z'],
          },
          leaseBefore: {
            type: 'string',
            pattern:
              '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$',
            description:
              'Those with a lease that ends before this unless it is renewed: an RFC 3339 time (a + in it is sent as %2B)',
            examples: ['2026-01-31T12:00:00Z'],
          },
          resetAdvised: {
            type: 'boolean',
            description: 'Sessions for which a reset is advised; `false`: the others',
          },
          sort: {
            enum: ['newest', 'oldest', 'lease'],
            description:
              'newest, by their start, when left out; lease: only sessions with a lease, the earliest end first',
          },
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
          next: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{1,128}$',
            description: 'The `next` of an earlier page, with the same `sort`',
          },
        },
        additionalProperties: false,
      },
    },
    versionSessions: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['versionId'],
        properties: {
          versionId: Id,
          limit: { type: 'integer', minimum: 1, maximum: 500, description: 'Page size; 100 when left out' },
          next: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{1,64}$',
            description: 'The `next` of an earlier page',
          },
        },
        additionalProperties: false,
      },
    },
    chain: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: {
          userId: Id,
          projectId: Id,
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
          after: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{1,64}$',
            description: 'the `next` of an earlier page',
          },
          atLeast: PositionText,
          sessionId: GivenId,
          asOf: AsOf,
        },
        additionalProperties: false,
      },
    },
    usage: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: { userId: Id, projectId: Id, atLeast: PositionText, asOf: AsOf },
        additionalProperties: false,
      },
    },
    transitions: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: {
          userId: Id,
          projectId: Id,
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
          after: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{1,64}$',
            description: 'the `next` of an earlier page',
          },
          atLeast: PositionText,
        },
        additionalProperties: false,
      },
    },
    feed: {
      needs: ['audit'],
      query: {
        type: 'object',
        required: ['partition'],
        properties: {
          partition: { type: 'integer', minimum: 0, maximum: 4095 },
          after: {
            type: 'integer',
            minimum: 0,
            maximum: 9007199254740991,
            description: 'A sequence; 0 when left out',
          },
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
        },
        additionalProperties: false,
      },
    },
    feedStream: {
      needs: ['audit'],
      query: {
        type: 'object',
        properties: {
          lastEventId: {
            type: 'string',
            maxLength: 65536,
            description:
              'The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence',
          },
        },
        additionalProperties: false,
      },
    },
    scopeStream: {
      needs: ['read'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: {
          userId: Id,
          projectId: Id,
          lastEventId: {
            type: 'string',
            maxLength: 65536,
            description:
              'The same as the header Last-Event-ID, for clients that cannot send it; the header takes precedence',
          },
        },
        additionalProperties: false,
      },
    },
    tenantStream: { needs: ['read'] },
    snapshot: { needs: ['audit'] },
    startBulk: {
      needs: ['operate'],
      body: {
        type: 'object',
        required: ['select', 'action', 'reason'],
        properties: { select: Selection, action: { enum: ['end', 'release'] }, reason: Reason },
        additionalProperties: false,
      },
    },
    bulkJobs: {
      needs: ['operate'],
      query: {
        type: 'object',
        properties: {
          after: GivenId,
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
        },
        additionalProperties: false,
      },
    },
    bulkJob: {
      needs: ['operate'],
      params: {
        type: 'object',
        required: ['jobId'],
        properties: { jobId: GivenId },
        additionalProperties: false,
      },
      query: {
        type: 'object',
        properties: {
          wait: { type: 'integer', minimum: 1, maximum: 60, description: 'Seconds to wait for its end' },
        },
        additionalProperties: false,
      },
    },
    eraseDetails: {
      needs: ['operate'],
      query: {
        type: 'object',
        required: ['userId'],
        properties: { userId: Id, projectId: Id },
        additionalProperties: false,
      },
    },
    report: {
      needs: ['write'],
      body: {
        type: 'array',
        items: {
          type: 'object',
          required: ['consumer', 'userId', 'sessionId'],
          properties: {
            consumer: {
              type: 'string',
              minLength: 1,
              maxLength: 64,
              pattern: '^[A-Za-z0-9_.:-]+$',
              description: 'A-Z, a-z, 0-9, _ . : and -: who holds a session',
            },
            userId: Id,
            projectId: Id,
            sessionId: GivenId,
          },
          additionalProperties: false,
        },
        minItems: 1,
        maxItems: 1000,
        description:
          'from 1 to 1,000; of several about one consumer and scope the last counts. A report counts for 24 h',
      },
    },
    withdrawReports: {
      needs: ['write'],
      query: {
        type: 'object',
        required: ['consumer'],
        properties: {
          consumer: {
            type: 'string',
            minLength: 1,
            maxLength: 64,
            pattern: '^[A-Za-z0-9_.:-]+$',
            description: 'A-Z, a-z, 0-9, _ . : and -: who holds a session',
          },
          userId: Id,
          projectId: Id,
        },
        additionalProperties: false,
      },
    },
    stats: {
      needs: ['read', 'audit'],
      query: {
        type: 'object',
        properties: {
          consumer: {
            type: 'string',
            minLength: 1,
            maxLength: 64,
            pattern: '^[A-Za-z0-9_.:-]+$',
            description: 'A-Z, a-z, 0-9, _ . : and -: who holds a session',
          },
          maxAge: {
            type: 'integer',
            minimum: 0,
            maximum: 60,
            description:
              'How old the answer may be, in seconds: callers that poll the same figures share it; 0 when left out',
          },
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: 500,
            description: 'Page size of the list; 100 when left out',
          },
          after: {
            type: 'string',
            pattern: '^[A-Za-z0-9_-]{1,256}$',
            description: 'the `next` of an earlier page',
          },
        },
        additionalProperties: false,
      },
    },
    auditKeys: { needs: ['audit'] },
    auditCheckpoints: { needs: ['audit'] },
    auditCheckpoint: {
      needs: ['audit'],
      query: {
        type: 'object',
        required: ['partition'],
        properties: { partition: { type: 'integer', minimum: 0, maximum: 4095 } },
        additionalProperties: false,
      },
    },
    auditPartition: {
      needs: ['audit'],
      params: {
        type: 'object',
        required: ['partition'],
        properties: { partition: { type: 'string', pattern: '^(0|[1-9]\\d{0,3})$' } },
        additionalProperties: false,
      },
    },
    auditTile: {
      needs: ['audit'],
      params: {
        type: 'object',
        required: ['partition', 'tile'],
        properties: {
          partition: { type: 'string', pattern: '^(0|[1-9]\\d{0,3})$' },
          tile: {
            type: 'string',
            pattern: '^\\d{1,2}/(x\\d{3}/){0,5}\\d{3}(\\.p/\\d{1,3})?$',
            description: '`<level>/<index>`, with `.p/<width>` for a partial one: `0/x001/234.p/17`',
          },
        },
        additionalProperties: false,
      },
    },
    auditKept: {
      needs: ['audit'],
      query: {
        type: 'object',
        required: ['partition'],
        properties: {
          partition: { type: 'integer', minimum: 0, maximum: 4095 },
          before: { type: 'integer', minimum: 1, maximum: 9007199254740991 },
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
        },
        additionalProperties: false,
      },
    },
    auditProof: {
      needs: ['audit'],
      query: {
        type: 'object',
        required: ['position'],
        properties: {
          position: {
            type: 'string',
            pattern: '^\\d{1,4}:\\d{1,16}$',
            description: "partition:sequence, which is the event's id, too",
          },
        },
        additionalProperties: false,
      },
    },
    auditConsistency: {
      needs: ['audit'],
      query: {
        type: 'object',
        required: ['partition', 'from', 'to'],
        properties: {
          partition: { type: 'integer', minimum: 0, maximum: 4095 },
          from: {
            type: 'integer',
            minimum: 0,
            maximum: 9007199254740991,
            description: 'Leaves of a tree: the sequence of its last event',
          },
          to: {
            type: 'integer',
            minimum: 0,
            maximum: 9007199254740991,
            description: 'Leaves of a tree: the sequence of its last event',
          },
        },
        additionalProperties: false,
      },
    },
    access: { needs: ['read', 'write', 'operate', 'audit', 'admin'] },
    createKey: {
      needs: ['admin'],
      body: {
        type: 'object',
        required: ['permissions', 'name'],
        properties: {
          tenant: {
            type: 'string',
            minLength: 1,
            maxLength: 64,
            pattern: '^[A-Za-z0-9._~-]+$',
            description: 'A-Z, a-z, 0-9, . _ ~ and -, at most 64',
          },
          ledgerWide: {
            type: 'boolean',
            description: 'The key may have the permission audit, and its admin covers all tenants',
          },
          principal: {
            type: 'string',
            minLength: 1,
            maxLength: 256,
            pattern: '^[ !#-\\x5b\\x5d-~]+$',
            description:
              '1 to 256 printable ASCII characters without quotes and backslashes; stays in the log for good',
          },
          permissions: {
            type: 'array',
            items: { enum: ['read', 'write', 'operate', 'audit', 'admin'] },
            minItems: 1,
            maxItems: 5,
          },
          environments: {
            type: 'array',
            items: Id,
            minItems: 1,
            maxItems: 64,
            description: 'Environments that it may name as owner, origin or heir; any when left out',
          },
          limits: {
            type: 'object',
            properties: {
              commands: { type: 'integer', minimum: 1, maximum: 1000000, description: 'Items a second' },
              reads: { type: 'integer', minimum: 1, maximum: 1000000, description: 'Items a second' },
            },
            additionalProperties: false,
            description: 'As many as its tenant may, when left out',
          },
          name: {
            type: 'string',
            minLength: 1,
            maxLength: 128,
            pattern: '^[^\\p{Cc}\\p{Cs}]*$',
            description: '1 to 128 characters, for people',
          },
          expiresInSeconds: {
            type: 'integer',
            minimum: 1,
            maximum: 315360000,
            description: 'Never when left out',
          },
        },
        additionalProperties: false,
      },
    },
    listKeys: {
      needs: ['admin'],
      query: {
        type: 'object',
        properties: {
          after: {
            type: 'string',
            pattern: '^[0-9A-Za-z]{10}$',
            description: '10 characters of 0-9, A-Z and a-z',
          },
          limit: { type: 'integer', minimum: 1, maximum: 500, description: '100 when left out' },
        },
        additionalProperties: false,
      },
    },
    rotateKey: {
      needs: ['admin'],
      params: {
        type: 'object',
        required: ['keyId'],
        properties: { keyId: { type: 'string', maxLength: 64 } },
        additionalProperties: false,
      },
      body: {
        type: 'object',
        properties: {
          overlapSeconds: {
            type: 'integer',
            minimum: 0,
            maximum: 2592000,
            description: 'How long the old secret stays valid beside the new one; 86400 (24 h) when left out',
          },
        },
        additionalProperties: false,
      },
    },
    revokeKey: {
      needs: ['admin'],
      params: {
        type: 'object',
        required: ['keyId'],
        properties: { keyId: { type: 'string', maxLength: 64 } },
        additionalProperties: false,
      },
    },
    problem: {
      needs: 'nothing',
      params: {
        type: 'object',
        required: ['code'],
        properties: { code: { type: 'string' } },
        additionalProperties: false,
      },
    },
  };
