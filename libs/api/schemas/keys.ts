import { Type } from 'typebox';
import { PERMISSIONS } from '../caller.js';
import { named, TEXT } from './components.js';
import { closed, command, type Operation, read, sent } from './operation.js';
import { Id, Instant } from './values.js';

/** Of who may make and end keys: those of its tenant, or all. */
const admin = ['admin'] as const;

const KeyId = Type.String({ pattern: '^[0-9A-Za-z]{10}$', description: '10 characters of 0-9, A-Z and a-z' });
const Tenant = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9._~-]+$',
  description: 'A-Z, a-z, 0-9, . _ ~ and -, at most 64',
});
const Principal = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[ !#-\\x5b\\x5d-~]+$',
  description:
    '1 to 256 printable ASCII characters without quotes and backslashes; stays in the log for good',
});
const PerSecond = Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Items a second' });

const permissions = Type.Array(Type.Enum([...PERMISSIONS]), { minItems: 1, maxItems: PERMISSIONS.length });
const environments = Type.Array(Id, {
  minItems: 1,
  maxItems: 64,
  description: 'Environments that it may name as owner, origin or heir; any when left out',
});
const Limits = Type.Object(
  { commands: Type.Optional(PerSecond), reads: Type.Optional(PerSecond) },
  { ...closed, description: 'As many as its tenant may, when left out' },
);
const name = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: TEXT,
  description: '1 to 128 characters, for people',
});

export const KeyBody = named(
  'KeyBody',
  {
    tenant: Type.Optional(Tenant),
    ledgerWide: Type.Optional(
      Type.Boolean({
        description: 'The key may have the permission audit, and its admin covers all tenants',
      }),
    ),
    principal: Type.Optional(Principal),
    permissions,
    environments: Type.Optional(environments),
    limits: Type.Optional(Limits),
    name,
    expiresInSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 315_360_000, description: 'Never when left out' }),
    ),
  },
  closed,
);

export const RotateKeyBody = named(
  'RotateKeyBody',
  {
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        description: 'How long the old secret stays valid beside the new one; 86400 (24 h) when left out',
      }),
    ),
  },
  closed,
);

export const KeysQuery = Type.Object(
  {
    after: Type.Optional(KeyId),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
  },
  closed,
);

export const AccessKey = named(
  'AccessKey',
  {
    keyId: KeyId,
    tenant: Type.Optional(Tenant),
    ledgerWide: Type.Boolean(),
    principal: Principal,
    permissions,
    environments: Type.Optional(environments),
    limits: Type.Optional(Limits),
    name,
    madeAt: Instant,
    madeBy: Type.String(),
    expiresAt: Type.Optional(Instant),
    revokedAt: Type.Optional(Instant),
    usedOn: Type.Optional(Type.String({ description: 'The last day of use, in UTC' })),
  },
  { description: 'A key without its secret, which is not stored' },
);

export const NewKey = named('NewKey', {
  secret: Type.String({ description: 'What to send as Authorization: Bearer. Shown only once' }),
  key: AccessKey,
});

export const KeyPage = named('KeyPage', {
  keys: Type.Array(AccessKey),
  next: Type.Optional(
    Type.String({ description: 'Pass as `after` for the next page; absent in the last one' }),
  ),
});

const KeyParams = Type.Object({ keyId: Type.String({ maxLength: 64 }) }, closed);

/** Who may ask. */
/** Who asks, as the ledger takes it from the credential. */
export const CallerView = named(
  'CallerView',
  {
    accessControl: Type.Boolean({ description: 'Whether callers need a credential' }),
    principal: Type.String(),
    tenant: Type.String({ description: 'Empty if the caller has no tenant' }),
    permissions: Type.Array(Type.Enum([...PERMISSIONS])),
    ledgerWide: Type.Boolean({ description: 'Whether it may reach data of all tenants' }),
    environments: Type.Optional(
      Type.Array(Id, { description: 'Environments that it may name; absent: any' }),
    ),
    version: Type.String({ description: "The service's version" }),
    source: Type.String({ description: '`/ledgers/<ledger id>`, as in its events' }),
  },
  { description: 'The caller, and the service that answers' },
);

export const keys = {
  access: {
    method: 'GET',
    path: '/v1/access',
    summary: 'The caller, by its credential, and its permissions',
    needs: PERMISSIONS,
    answers: { 200: { description: 'the caller', schema: CallerView } },
    problems: read,
  },
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    summary: 'Create a key; its secret is in this answer and nowhere else',
    needs: admin,
    ...sent(KeyBody, { tenant: 'acme', name: 'acme, cloud-dev', permissions: ['read', 'write'] }),
    answers: { 201: { description: 'the key with its secret', schema: NewKey } },
    problems: ['key-made', ...command],
  },
  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    summary: "The tenant's keys, or with a ledger-wide credential all, in pages",
    needs: admin,
    query: KeysQuery,
    answers: { 200: { description: 'keys by their ids', schema: KeyPage } },
    problems: read,
  },
  rotateKey: {
    method: 'POST',
    path: '/v1/keys/:keyId/rotate',
    summary: 'Create a new secret for the same principal; the old one expires after an overlap',
    needs: admin,
    params: KeyParams,
    ...sent(RotateKeyBody, { overlapSeconds: 86_400 }),
    answers: { 201: { description: 'the new key, with its secret', schema: NewKey } },
    problems: ['unknown-key', 'key-made', ...command],
  },
  revokeKey: {
    method: 'DELETE',
    path: '/v1/keys/:keyId',
    summary: 'Revoke a key, on every replica within a second',
    needs: admin,
    params: KeyParams,
    answers: { 200: { description: 'the key as it was revoked', schema: AccessKey } },
    problems: ['unknown-key', 'unknown-outcome', ...read],
  },
} as const satisfies Record<string, Operation>;
