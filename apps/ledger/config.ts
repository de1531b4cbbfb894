import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { TokenSettings } from '#access';
import { maskPasswords } from '#postgres';
import type { OriginSettings } from './http/origins.js';

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });

/** Every setting, from the environment. */
const Settings = Type.Object({
  PORT: Type.Optional(Port),
  HOST: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_ACCESS: Type.Optional(Type.Enum(['off', 'required'])),
  LEDGER_ADMIN_KEY_SHA256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  LEDGER_JWT_ISSUER: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_JWT_AUDIENCE: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_JWT_JWKS_URL: Type.Optional(Type.String({ pattern: '^https?://' })),
  LEDGER_JWT_LEDGER_WIDE: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_ALLOWED_HOSTS: Type.Optional(Type.String({ pattern: '^[^,\\s]+(,[^,\\s]+)*$' })),
  LEDGER_CORS_ORIGINS: Type.Optional(Type.String({ pattern: '^https?://[^,\\s/]+(,https?://[^,\\s/]+)*$' })),
  LEDGER_TENANT_COMMANDS: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  LEDGER_TENANT_READS: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  LEDGER_WITHOUT_ACCESS_CONTROL: Type.Optional(Type.Literal('listen-everywhere')),
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  DATABASE_WAIT_SECONDS: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  DATABASE_ROLE: Type.Optional(Type.String({ pattern: '^[a-z_][a-z0-9_]*$' })),
  LEDGER_MIGRATE: Type.Optional(Type.Enum(['at-start', 'never'])),
  POSTGRES_PORT: Type.Optional(Port),
  POSTGRES_CACHE_DIR: Type.Optional(Type.String({ minLength: 1 })),
  KAFKA_BROKERS: Type.Optional(Type.String({ pattern: '^[^,\\s]+:[0-9]+(,[^,\\s]+:[0-9]+)*$|^none$' })),
  KAFKA_REPLICAS: Type.Optional(Type.Integer({ minimum: 1, maximum: 32_767 })),
  KAFKA_PORT: Type.Optional(Port),
  KAFKA_CACHE_DIR: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_TOPIC: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}$' })),
  LEDGER_DATA_DIR: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_LOG: Type.Optional(Type.Enum(['text', 'json'])),
  LEDGER_RESTARTS: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
  LEDGER_PARTITIONS: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 })),
  LEDGER_ROLES: Type.Optional(
    Type.String({ pattern: '^(api|relay|reaper|projector)(,(api|relay|reaper|projector))*$' }),
  ),
  LEDGER_PROJECTOR_SHARE: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  LEDGER_WRITERS: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
  LEDGER_MAX_BATCH: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  LEDGER_MAX_QUEUE: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
});

export type Role = 'api' | 'relay' | 'reaper' | 'projector';

/** Who may ask. */
export interface AccessConfig {
  isRequired: boolean;
  /** Whether everybody may ask who reaches it, from other machines, too. */
  isOpenToAll: boolean;
  adminKeyHash: string | undefined;
  /** Where the first key goes that a ledger with an embedded Postgres makes for itself. */
  adminKeyFile: string | undefined;
  tokens: TokenSettings | undefined;
  /** Items a second of all keys of a tenant together. */
  tenantLimits: { commands: number | undefined; reads: number | undefined };
}

/** What the service runs with; parsed once, handed on as values. */
export interface Config {
  port: number;
  host: string;
  access: AccessConfig;
  origins: OriginSettings;
  /** Undefined: run the embedded Postgres on `postgresPort`. */
  databaseUrl: string | undefined;
  /** The longest to wait at the start for a Postgres that is away. */
  databaseWaitMs: number;
  databaseRole: string;
  migrate: boolean;
  postgresPort: number;
  postgresCacheDir: string | undefined;
  /** Undefined: run a Kafka on `kafkaPort`, if Java is here. Empty: no Kafka at all; the relay waits. */
  kafkaBrokers: string[] | undefined;
  /** Copies wanted of each Kafka partition. Undefined: three, or as many as there are brokers. */
  kafkaReplicas: number | undefined;
  kafkaPort: number;
  kafkaCacheDir: string | undefined;
  topic: string;
  dataDir: string;
  /** How often in a row an embedded Postgres or Kafka that ended by itself is started again. */
  restarts: number;
  partitions: number;
  /** Whether that was asked for, so that its having no effect is worth a word. */
  partitionsGiven: boolean;
  roles: ReadonlySet<Role>;
  /** Part of the time, from 0 to 1, that the projector takes while commands take all of it. */
  projectorShare: number;
  writers: number;
  maxBatch: number;
  maxQueue: number;
}

/** A setting that cannot be used; the message names every fault, a line each. */
export class ConfigError extends Error {}

/** Reads the environment; throws ConfigError with all faults at once. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const known = Object.keys(Settings.properties).filter(
    (name) => env[name] !== undefined && env[name] !== '',
  );
  const given = Object.fromEntries(known.map((name) => [name, env[name]]));
  const settings = Value.Convert(Settings, given);
  const faults = Value.Errors(Settings, settings).map(
    ({ instancePath, message }) =>
      `${instancePath.slice(1)}: ${message}, but it is "${maskPasswords(String(given[instancePath.slice(1)]))}"`,
  );
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  const s = settings as Static<typeof Settings>;
  const host = s.HOST ?? '127.0.0.1';
  return {
    access: accessOf(s, host),
    origins: {
      isLocal: isLoopback(host),
      hosts: s.LEDGER_ALLOWED_HOSTS?.split(',') ?? [],
      origins: s.LEDGER_CORS_ORIGINS?.split(',') ?? [],
    },
    port: s.PORT ?? 4600,
    host,
    databaseUrl: s.DATABASE_URL,
    databaseWaitMs: (s.DATABASE_WAIT_SECONDS ?? 60) * 1_000,
    databaseRole: s.DATABASE_ROLE ?? 'session_ledger',
    migrate: s.LEDGER_MIGRATE ? s.LEDGER_MIGRATE === 'at-start' : s.DATABASE_URL === undefined,
    postgresPort: s.POSTGRES_PORT ?? 4601,
    postgresCacheDir: s.POSTGRES_CACHE_DIR,
    kafkaBrokers: s.KAFKA_BROKERS === 'none' ? [] : s.KAFKA_BROKERS?.split(','),
    kafkaReplicas: s.KAFKA_REPLICAS,
    kafkaPort: s.KAFKA_PORT ?? 4602,
    kafkaCacheDir: s.KAFKA_CACHE_DIR,
    topic: s.LEDGER_TOPIC ?? 'session-ledger.events.v1',
    dataDir: s.LEDGER_DATA_DIR ?? '.data',
    restarts: s.LEDGER_RESTARTS ?? 10,
    partitions: s.LEDGER_PARTITIONS ?? 16,
    partitionsGiven: s.LEDGER_PARTITIONS !== undefined,
    roles: new Set((s.LEDGER_ROLES ?? 'api,relay,reaper,projector').split(',') as Role[]),
    projectorShare: (s.LEDGER_PROJECTOR_SHARE ?? 5) / 100,
    writers: s.LEDGER_WRITERS ?? 2,
    maxBatch: s.LEDGER_MAX_BATCH ?? 512,
    maxQueue: s.LEDGER_MAX_QUEUE ?? 8_192,
  };
}

function accessOf(s: Static<typeof Settings>, host: string): AccessConfig {
  const isEverywhere = s.LEDGER_WITHOUT_ACCESS_CONTROL === 'listen-everywhere';
  const isOpenToAll = !isLoopback(host) && isEverywhere && s.LEDGER_ACCESS !== 'required';
  if (!isLoopback(host) && s.LEDGER_ACCESS === 'off' && !isEverywhere) {
    throw new ConfigError(
      `HOST: without access control the service listens on loopback only, not on ${host}. ` +
        'Leave LEDGER_ACCESS out (docs/access.md), or, if the network around it is the access control, set ' +
        'LEDGER_WITHOUT_ACCESS_CONTROL=listen-everywhere.',
    );
  }
  const isRequired = s.LEDGER_ACCESS === 'required' || (!isLoopback(host) && !isOpenToAll);
  return {
    isRequired,
    isOpenToAll,
    adminKeyHash: s.LEDGER_ADMIN_KEY_SHA256,
    adminKeyFile: s.DATABASE_URL === undefined ? join(s.LEDGER_DATA_DIR ?? '.data', 'admin-key') : undefined,
    tokens: isRequired ? tokensOf(s) : undefined,
    tenantLimits: { commands: s.LEDGER_TENANT_COMMANDS, reads: s.LEDGER_TENANT_READS },
  };
}

function tokensOf(s: Static<typeof Settings>): TokenSettings | undefined {
  const [issuer, audience, jwksUrl] = [s.LEDGER_JWT_ISSUER, s.LEDGER_JWT_AUDIENCE, s.LEDGER_JWT_JWKS_URL];
  if (issuer === undefined && audience === undefined && jwksUrl === undefined) return undefined;
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) {
    throw new ConfigError(
      'LEDGER_JWT_ISSUER, LEDGER_JWT_AUDIENCE and LEDGER_JWT_JWKS_URL go together: set all three, or none.',
    );
  }
  const { hostname, protocol } = new URL(jwksUrl);
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new ConfigError(
      "LEDGER_JWT_JWKS_URL: keys that come in the clear are anybody's: it has to be https",
    );
  }
  return { issuer, audience, jwksUrl, isLedgerWide: s.LEDGER_JWT_LEDGER_WIDE === issuer };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
