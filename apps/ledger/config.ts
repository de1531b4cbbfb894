import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { maskSecrets, type TokenSettings } from '#access';
import { type KafkaSecurity, KafkaSettingsError, kafkaSecurityOf } from '#broker';
import { DatabaseUrlError, databaseUrlOf } from '#postgres';
import type { OriginSettings } from './http/origins.js';
import type { TlsFiles } from './http/tls.js';

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
  LEDGER_TLS: Type.Optional(Type.Literal('proxy')),
  LEDGER_TLS_CERT: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_TLS_KEY: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_TLS_CLIENT_CA: Type.Optional(Type.String({ minLength: 1 })),
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  DATABASE_URL_FILE: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_PLAIN_DATABASE: Type.Optional(Type.Literal('yes')),
  DATABASE_WAIT_SECONDS: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  DATABASE_ROLE: Type.Optional(Type.String({ pattern: '^[a-z_][a-z0-9_]*$' })),
  LEDGER_MIGRATE: Type.Optional(Type.Enum(['at-start', 'never'])),
  POSTGRES_PORT: Type.Optional(Port),
  POSTGRES_CACHE_DIR: Type.Optional(Type.String({ minLength: 1 })),
  KAFKA_BROKERS: Type.Optional(Type.String({ pattern: '^[^,\\s]+:[0-9]+(,[^,\\s]+:[0-9]+)*$|^none$' })),
  KAFKA_SSL: Type.Optional(Type.Enum(['true', 'false'])),
  KAFKA_SSL_CA: Type.Optional(Type.String({ minLength: 1 })),
  KAFKA_SASL_MECHANISM: Type.Optional(Type.Literal('scram-sha-512')),
  KAFKA_SASL_USERNAME: Type.Optional(Type.String({ minLength: 1 })),
  KAFKA_SASL_PASSWORD_FILE: Type.Optional(Type.String({ minLength: 1 })),
  KAFKA_REPLICAS: Type.Optional(Type.Integer({ minimum: 1, maximum: 32_767 })),
  KAFKA_PORT: Type.Optional(Port),
  KAFKA_CACHE_DIR: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_TOPIC: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}$' })),
  LEDGER_DATA_DIR: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_ORIGIN: Type.Optional(Type.String({ pattern: '^[^\\s+]{1,200}$' })),
  LEDGER_AUDIT_KEY_FILE: Type.Optional(Type.String({ minLength: 1 })),
  LEDGER_HANDLE_KEY_FILE: Type.Optional(Type.String({ minLength: 1 })),
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
  // The rest of OpenTelemetry's own variables it reads by itself (tracing.ts).
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  OTEL_SDK_DISABLED: Type.Optional(Type.Enum(['true', 'false'])),
  OTEL_TRACES_EXPORTER: Type.Optional(Type.Enum(['otlp', 'none'])),
});

/** Their names. */
export const SETTINGS: readonly string[] = Object.keys(Settings.properties);

type Role = 'api' | 'relay' | 'reaper' | 'projector';

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
  /** Undefined: plain HTTP. */
  tls: TlsFiles | undefined;
  /** Undefined: run the embedded Postgres on `postgresPort`. */
  databaseUrl: string | undefined;
  /** The longest to wait at the start for a Postgres that is away. */
  databaseWaitMs: number;
  /** Undefined: the ledger's own. */
  databaseRole: string | undefined;
  migrate: boolean;
  postgresPort: number;
  postgresCacheDir: string | undefined;
  /** Undefined: run a Kafka on `kafkaPort`, if Java is here. Empty: no Kafka at all; the relay waits. */
  kafkaBrokers: string[] | undefined;
  kafkaSecurity: KafkaSecurity;
  /** Copies wanted of each Kafka partition. Undefined: three, or as many as there are brokers. */
  kafkaReplicas: number | undefined;
  kafkaPort: number;
  kafkaCacheDir: string | undefined;
  topic: string;
  /** Whether traces are wanted. */
  isTraced: boolean;
  dataDir: string;
  /** How often in a row an embedded Postgres or Kafka that ended by itself is started again. */
  restarts: number;
  partitions: number;
  /** Whether that was asked for, so that its having no effect is worth a word. */
  partitionsGiven: boolean;
  roles: ReadonlySet<Role>;
  /** Part of the time, from 0 to 1, that the projector takes while commands take all of it. */
  projectorShare: number;
  /** Names the ledger in what it signs. Undefined: `session-ledger/<ledger id>`. */
  origin: string | undefined;
  /** Files of the keys that sign checkpoints. */
  auditKeyFiles: readonly string[] | undefined;
  /** Where a ledger with an embedded Postgres keeps the key that it makes, unless it is given some. */
  ownAuditKey: string | undefined;
  /** Where the key that hashes handles is. Undefined: in the database. */
  handleKeyFile: string | undefined;
  writers: number;
  maxBatch: number;
  maxQueue: number;
}

/** A setting that cannot be used; the message names every fault, a line each. */
export class ConfigError extends Error {}

/** Reads the environment; throws ConfigError with all faults at once. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const known = SETTINGS.filter((name) => env[name] !== undefined && env[name] !== '');
  const given = Object.fromEntries(known.map((name) => [name, env[name]]));
  const settings = Value.Convert(Settings, given);
  const faults = Value.Errors(Settings, settings).map(
    ({ instancePath, message }) =>
      `${instancePath.slice(1)}: ${message}, but it is "${told(String(given[instancePath.slice(1)]))}"`,
  );
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  const s = settings as Static<typeof Settings>;
  const host = s.HOST ?? '127.0.0.1';
  const access = accessOf(s, host);
  const databaseUrl = orFault(() => databaseUrlOf(s));
  return {
    access,
    tls: tlsOf(s, access, host),
    origins: {
      isLocal: isLoopback(host),
      hosts: s.LEDGER_ALLOWED_HOSTS?.split(',') ?? [],
      origins: s.LEDGER_CORS_ORIGINS?.split(',') ?? [],
    },
    port: s.PORT ?? 4600,
    host,
    databaseUrl,
    databaseWaitMs: (s.DATABASE_WAIT_SECONDS ?? 60) * 1_000,
    databaseRole: s.DATABASE_ROLE,
    migrate: s.LEDGER_MIGRATE ? s.LEDGER_MIGRATE === 'at-start' : databaseUrl === undefined,
    postgresPort: s.POSTGRES_PORT ?? 4601,
    postgresCacheDir: s.POSTGRES_CACHE_DIR,
    kafkaBrokers: s.KAFKA_BROKERS === 'none' ? [] : s.KAFKA_BROKERS?.split(','),
    kafkaSecurity: kafkaOf(s),
    kafkaReplicas: s.KAFKA_REPLICAS,
    kafkaPort: s.KAFKA_PORT ?? 4602,
    kafkaCacheDir: s.KAFKA_CACHE_DIR,
    isTraced: tracesWanted(s),
    topic: s.LEDGER_TOPIC ?? 'session-ledger.events.v1',
    dataDir: s.LEDGER_DATA_DIR ?? '.data',
    restarts: s.LEDGER_RESTARTS ?? 10,
    partitions: s.LEDGER_PARTITIONS ?? 16,
    partitionsGiven: s.LEDGER_PARTITIONS !== undefined,
    roles: new Set((s.LEDGER_ROLES ?? 'api,relay,reaper,projector').split(',') as Role[]),
    projectorShare: (s.LEDGER_PROJECTOR_SHARE ?? 5) / 100,
    origin: s.LEDGER_ORIGIN,
    auditKeyFiles: s.LEDGER_AUDIT_KEY_FILE?.split(','),
    ownAuditKey: databaseUrl === undefined ? join(s.LEDGER_DATA_DIR ?? '.data', 'audit-key') : undefined,
    handleKeyFile: s.LEDGER_HANDLE_KEY_FILE,
    writers: s.LEDGER_WRITERS ?? 2,
    maxBatch: s.LEDGER_MAX_BATCH ?? 512,
    maxQueue: s.LEDGER_MAX_QUEUE ?? 8_192,
  };
}

/** Somebody has said where they go, or that they are wanted, and nobody that they are not. */
function tracesWanted(s: Static<typeof Settings>): boolean {
  if (s.OTEL_SDK_DISABLED === 'true' || s.OTEL_TRACES_EXPORTER === 'none') return false;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = s;
  return (s.OTEL_TRACES_EXPORTER ?? all ?? traces) !== undefined;
}

/** Without a secret: also a password that has spaces in it. */
function told(value: string): string {
  return maskSecrets(value.replace(/^([a-z+]+:\/*[^\s:@/]*):.*@/is, '$1:…@'));
}

/** What other rooms find wrong with settings is a fault of the settings here. */
function orFault<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DatabaseUrlError || error instanceof KafkaSettingsError)
      throw new ConfigError(error.message);
    throw error;
  }
}

function kafkaOf(s: Static<typeof Settings>): KafkaSecurity {
  const security = orFault(() => kafkaSecurityOf(s));
  if (security.ssl && (s.KAFKA_BROKERS === undefined || s.KAFKA_BROKERS === 'none'))
    throw new ConfigError(
      "KAFKA_SSL: this machine's own Kafka is on loopback without TLS; set KAFKA_BROKERS",
    );
  return security;
}

function tlsOf(s: Static<typeof Settings>, { isRequired }: AccessConfig, host: string): TlsFiles | undefined {
  const { LEDGER_TLS_CERT: cert, LEDGER_TLS_KEY: key, LEDGER_TLS_CLIENT_CA: clientCa } = s;
  if (cert && key) return { cert, key, clientCa };
  if (cert || key || clientCa)
    throw new ConfigError('LEDGER_TLS_CERT and LEDGER_TLS_KEY go together: set both, or none');
  if (isRequired && !isLoopback(host) && s.LEDGER_TLS !== 'proxy') {
    throw new ConfigError(
      `LEDGER_TLS: keys and tokens would come to ${host} in the clear. Set LEDGER_TLS_CERT and LEDGER_TLS_KEY, or ` +
        'LEDGER_TLS=proxy where a proxy in front of the service has the certificate (docs/running.md).',
    );
  }
  return undefined;
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
  const isEmbedded = s.DATABASE_URL === undefined && s.DATABASE_URL_FILE === undefined;
  return {
    isRequired,
    isOpenToAll,
    adminKeyHash: s.LEDGER_ADMIN_KEY_SHA256,
    adminKeyFile: isEmbedded ? join(s.LEDGER_DATA_DIR ?? '.data', 'admin-key') : undefined,
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
