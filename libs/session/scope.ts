declare const brand: unique symbol;
type Brand<T, Name> = T & { readonly [brand]: Name };

/** `tenant/userId/projectId`, each part percent-encoded: names a scope, orders Kafka, picks the partition. */
export type ScopeKey = Brand<string, 'ScopeKey'>;

/** What has at most one current session. `userId` is expected to be an opaque id: it stays in the log. */
export interface Scope {
  tenant: string;
  userId: string;
  /** `default` when the caller leaves it out. */
  projectId: string;
}

const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;

/**
 * One part of a scope key: RFC 3986 unreserved characters stay, every other byte of the UTF-8 form becomes
 * `%XX` in upper-case hex. No Unicode normalisation: what looks alike may be two ids.
 * Throws URIError on a lone surrogate, which the edge refuses before.
 */
function encodePart(part: string): string {
  if (UNRESERVED.test(part)) return part;
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The scope's key; two scopes have the same key only when all three parts are equal, code unit by code unit. */
export function scopeKey(scope: Scope): ScopeKey {
  return `${encodePart(scope.tenant)}/${encodePart(scope.userId)}/${encodePart(scope.projectId)}` as ScopeKey;
}

/** What the keys of a tenant's scopes, and no others, begin with. */
export function keysOf(tenant: string): string {
  return `${encodePart(tenant)}/`;
}

/** The scope that a key names. */
export function parseScopeKey(key: ScopeKey): Scope {
  const [tenant, userId, projectId] = key.split('/').map(decodeURIComponent) as [string, string, string];
  return { tenant, userId, projectId };
}

/**
 * MurmurHash2 as Kafka's Java client computes it (`org.apache.kafka.common.utils.Utils.murmur2`), over the
 * key's bytes; a scope key is ASCII, so its characters are its bytes. Returns a signed 32-bit integer.
 */
export function murmur2(key: string): number {
  const length = key.length;
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k =
      key.charCodeAt(i) |
      (key.charCodeAt(i + 1) << 8) |
      (key.charCodeAt(i + 2) << 16) |
      (key.charCodeAt(i + 3) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const tail = length - i;
  if (tail === 3) h ^= key.charCodeAt(i + 2) << 16;
  if (tail >= 2) h ^= key.charCodeAt(i + 1) << 8;
  if (tail >= 1) h = Math.imul(h ^ key.charCodeAt(i), m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}

/** The partition of a scope among `partitions`: the same as Kafka's default partitioner gives for the key. */
export function partitionOf(key: ScopeKey, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** The partition that a session id carries. Any UUID gives a number from 0 to 4095; it may not exist. */
export function partitionOfSession(sessionId: string): number {
  return Number.parseInt(sessionId.slice(15, 18), 16);
}
