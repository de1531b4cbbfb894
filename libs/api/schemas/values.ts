import { type Static, Type } from 'typebox';
import { LONGEST_SECONDS, STATUSES } from '#session';
import { named, TEXT } from './components.js';

/** A name from outside: 1 to 256 Unicode characters, no control characters, no lone surrogates. */
export const Id = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: TEXT,
  description: '1 to 256 characters, valid Unicode, no control characters',
});

export const SessionId = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'UUID of one session instance',
  examples: ['01920000-0000-7003-8000-000000000000'],
});

/** Marks text that is taken in upper and lower case (RFC 9562, section 4); it is read as lower case. */
export const CASE_INSENSITIVE = 'x-case-insensitive';

/** A UUID in a request. */
export const GivenId = Type.String({
  pattern: '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$',
  description: 'a UUID, in upper or lower case',
  examples: ['01920000-0000-7003-8000-000000000000'],
  [CASE_INSENSITIVE]: true,
});

export const Epoch = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Fencing token: rises at every change of the current session or of its owner, and at its end',
});

export const Instant = Type.String({ format: 'date-time', description: 'UTC, milliseconds' });

export const Owner = named(
  'Owner',
  { environment: Id, instance: Type.Optional(Id) },
  { additionalProperties: false, description: 'Who runs the session' },
);

/** Exactly one of userId and environment, which a schema would not tell in words. */
export const Selection = named(
  'Selection',
  { userId: Type.Optional(Id), environment: Type.Optional(Id), instance: Type.Optional(Id) },
  {
    additionalProperties: false,
    description: 'userId: all sessions of the user. environment: those that it owns, or only its instance',
  },
);

/** Text that stays in the log for good, so it must not name a person. */
export const Reason = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: TEXT,
  description: '1 to 64 characters; stays in the log, so no personal data',
});

export const RotationReason = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[a-z0-9_.-]+$',
  description:
    'a-z, 0-9, _ . and -: build, metadata_generation, compact, chat_plan, resume, reset, or one of your own',
});

/** What sort of outside name a handle is; stands in clear. */
export const HandleKind = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[a-z0-9_.-]+$',
  description: 'a-z, 0-9, _ . and -, at most 64: the kind of name, such as mcp-transport; stored in clear',
});

/** May be a secret: only a keyed hash of it is ever stored. */
export const HandleValue = Type.String({
  minLength: 1,
  maxLength: 1_024,
  pattern: TEXT,
  description: '1 to 1024 characters, valid Unicode, no control characters; kept as a keyed hash only',
});

export const Handle = named(
  'Handle',
  { kind: HandleKind, value: HandleValue },
  { additionalProperties: false, description: 'An outside name' },
);

export const NewHandle = named(
  'NewHandle',
  {
    kind: HandleKind,
    value: HandleValue,
    binds: Type.Enum(['scope', 'session'], {
      description:
        'scope: routing to whatever is current (32 a scope, the oldest is dropped); session: stays with the session until a later one of the scope brings it (8 a session)',
    }),
  },
  { additionalProperties: false, description: 'An outside name and what it is bound to' },
);

/** Of one request. Each handle once. */
export const NewHandles = Type.Array(NewHandle, { maxItems: 8, description: 'at most 8, each once' });

/** What a request may say of a lease; what it leaves out is filled in by the service. */
export const Lease = named(
  'Lease',
  {
    seconds: Type.Integer({
      minimum: 1,
      maximum: LONGEST_SECONDS,
      description: 'A whole number from 1 to 2592000 (30 days)',
    }),
    graceSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LONGEST_SECONDS,
        description: 'How long the session waits for its old owner after a lapse; 60 when left out',
      }),
    ),
    renewOn: Type.Optional(
      Type.Enum(['heartbeat', 'use'], {
        description: 'heartbeat when left out; use makes it an idle time-out',
      }),
    ),
    onLapse: Type.Optional(Type.Enum(['release', 'end'], { description: 'release when left out' })),
  },
  { additionalProperties: false, description: 'How long ownership lasts without a sign of life' },
);

/** A lease as readers see it. */
export const ShownLease = named(
  'ShownLease',
  {
    ...Lease.properties,
    expiresAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description:
          'When it ends unless renewed; only with `include=lease`, and in the list of all current sessions',
      }),
    ),
  },
  { description: 'How long ownership lasts without a sign of life' },
);

/** Limits that a JSON schema cannot say: 4 KiB as JSON, nested at most 8 deep. */
export const Attributes = Type.Object(
  {},
  {
    additionalProperties: true,
    description: 'Facts kept with the session, erasable: at most 4 KiB as JSON, nested at most 8 deep',
  },
);

const count = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

const currency = Type.String({
  pattern: '^[A-Z]{3}$',
  description: 'ISO 4217: three capital letters',
  examples: ['EUR'],
});

/** What programs have: text is exact, and a number is what the double closest to it says. */
export const Money = named(
  'Money',
  {
    amount: Type.Unsafe<string | number>({
      type: ['string', 'number'],
      maxLength: 64,
      pattern: '^(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d{1,3})?$',
      minimum: 0,
      description:
        'A decimal, such as "0.0125" or 1.5e-7: no sign, up to 18 digits before the point and 30 after it. It is answered as text, without exponent',
      examples: ['0.0125'],
    }),
    currency,
  },
  { additionalProperties: false, description: 'An exact amount of money, in one currency' },
);

/** As events carry it. */
const KeptMoney = Type.Object({
  amount: Type.String({
    description: 'A decimal: up to 18 digits before the point, at most 30 after it',
    examples: ['0.0125'],
  }),
  currency,
});

const used = {
  inputTokens: Type.Optional(count('A whole number from 0 to 2^53-1')),
  outputTokens: Type.Optional(count('A whole number from 0 to 2^53-1')),
  cachedTokens: Type.Optional(count('Of the input, those from a cache: a whole number from 0 to 2^53-1')),
  durationMs: Type.Optional(count('Milliseconds: a whole number from 0 to 2^53-1')),
};
const model = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: TEXT,
    description: '1 to 128 characters, valid Unicode, no control characters',
  }),
);

export const Usage = named(
  'Usage',
  { ...used, cost: Type.Optional(Money), model },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'What one operation used: at least one of these',
  },
);

export const KeptUsage = Type.Object(
  { ...used, cost: Type.Optional(KeptMoney), model },
  { description: 'What one operation used' },
);

export const UsageTotals = named(
  'UsageTotals',
  {
    operations: count('How many reports'),
    inputTokens: count('Sum of all reports'),
    outputTokens: count('Sum of all reports'),
    cachedTokens: count('Sum of all reports'),
    durationMs: count('Sum of all reports'),
    // Not Type.Record: code generators know this form of a map, and not that by patterns.
    cost: Type.Unsafe<Record<string, string>>({
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Exact sums by currency, which are never added to each other',
    }),
  },
  { description: 'Usage sums of a session, a chain or a scope' },
);

export const Policy = named(
  'Policy',
  {
    maxChainLength: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'A whole number from 1 to 100000: only a reset leads on from there',
      }),
    ),
    adviseAt: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description:
          'From which chain length a reset is advised: from 1 to maxChainLength, which it is when left out',
      }),
    ),
    endReleasedAfterSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LONGEST_SECONDS,
        description:
          'A whole number from 1 to 2592000 (30 days): a released session expires this long after the release, or after its reservation; never when left out',
      }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'What holds for the chain: one of these at least',
  },
);

export const Label = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: TEXT,
  description: '1 to 128 characters, no control characters; stays in the log, so no personal data',
});

export const Position = named(
  'Position',
  { partition: Type.Integer({ minimum: 0 }), sequence: Type.Integer({ minimum: 0 }) },
  { description: 'A place in the log' },
);

export const AsOf = Type.String({
  pattern:
    '^([0-9]{1,4}:[0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))$',
  description: 'an RFC 3339 time (a + in it is sent as %2B) or a position, partition:sequence, of the past',
  examples: ['2026-01-31T12:00:00Z', '3:1042'],
});

/** A time in a query: `what` it stands for. */
export const momentThat = (what: string) =>
  Type.String({
    pattern:
      '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$',
    description: `${what}: an RFC 3339 time (a + in it is sent as %2B)`,
    examples: ['2026-01-31T12:00:00Z'],
  });

export const PositionText = Type.String({
  pattern: '^[0-9]{1,4}:[0-9]{1,16}$',
  description: 'a position, partition:sequence, as a Ledger-Position header gives it',
  examples: ['3:1042'],
});

export const Scope = named(
  'Scope',
  { userId: Id, projectId: Id },
  { description: 'A user and a project; a scope has at most one current session' },
);

export const Session = named(
  'Session',
  {
    sessionId: SessionId,
    scope: Scope,
    status: Type.Enum(STATUSES),
    epoch: Epoch,
    revision: Type.Integer({ minimum: 1 }),
    owner: Type.Optional(Owner),
    previousOwner: Type.Optional(Owner),
    reservedFor: Type.Optional(Owner),
    reservedUntil: Type.Optional(Instant),
    reservedSeconds: Type.Optional(
      Type.Integer({ minimum: 1, description: 'The length of the reservation; absent if a lapse made it' }),
    ),
    expiresAt: Type.Optional(Instant),
    lease: Type.Optional(ShownLease),
    drainUntil: Type.Optional(Instant),
    principal: Type.String(),
    parentId: Type.Optional(SessionId),
    rootId: SessionId,
    chainLength: Type.Integer({ minimum: 1 }),
    policy: Type.Optional(Policy),
    resetAdvised: Type.Optional(Type.Literal(true, { description: 'Rotate with reason "reset" soon' })),
    previousRootId: Type.Optional(SessionId),
    recoveredFrom: Type.Optional(SessionId),
    fromCheckpoint: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    versionId: Type.Optional(Type.String()),
    handles: Type.Optional(
      Type.Array(Type.Object({ kind: HandleKind, hash: Type.String() }), {
        description:
          'Outside names that are bound to it; `hash` is of their keyed hash and a salt of the scope, which can be erased',
      }),
    ),
    attributesDigest: Type.Optional(Type.String({ description: 'SHA-256 over a salt and the attributes' })),
    attributes: Type.Union([Attributes, Type.Literal('erased')]),
    startedAt: Instant,
    endedAt: Type.Optional(Instant),
    endCause: Type.Optional(Type.Enum(['ended', 'superseded', 'rotated', 'expired', 'invalid', 'reset'])),
    endReason: Type.Optional(Type.String()),
    endedBy: Type.Optional(Owner),
    successorId: Type.Optional(SessionId),
    successorHandle: Type.Optional(Type.String({ description: '`hash` of the handle in its rotation' })),
    usage: Type.Optional(UsageTotals),
    invalid: Type.Optional(Type.Object({ at: Instant, reason: Type.String() })),
  },
  { description: 'One session; ids are never reused, ended sessions never return' },
);
export type SessionView = Static<typeof Session>;
