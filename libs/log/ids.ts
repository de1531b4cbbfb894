import { createHash, createHmac, hash, randomBytes, randomFillSync } from 'node:crypto';
import { v4, v7 } from 'uuid';
import type { Naming, NewDetails } from '#api';
import type { Owner, ScopeKey, SessionId } from '#session';

/**
 * A new session id: a UUIDv7 (RFC 9562) whose 12 bits of rand_a are the partition, so that a session is
 * found without asking every partition. 62 random bits remain.
 */
export function newSessionId(partition: number): SessionId {
  const random = nextRandom();
  const low = (random[0]! << 12) | (random[1]! << 4) | (random[2]! >>> 4);
  return textOf(v7({ seq: ((partition << 20) | low) >>> 0, random: random.subarray(4) }, idBytes));
}

/** A random id for a command: a UUIDv4. */
export function newCommandId(): string {
  return textOf(v4({ random: nextRandom() }, idBytes));
}

const idBytes = new Uint8Array(16);
const idText = Buffer.alloc(36, '-');
const DIGITS = Buffer.from('0123456789abcdef');

/**
 * A UUID as one string. Those that uuid and crypto.randomUUID make are ropes of twenty strings, which the collector of
 * garbage copies one by one for as long as the command waits.
 */
function textOf(bytes: Uint8Array): string {
  let at = 0;
  for (let byte = 0; byte < 16; byte++) {
    if (byte === 4 || byte === 6 || byte === 8 || byte === 10) at++;
    idText[at++] = DIGITS[bytes[byte]! >>> 4]!;
    idText[at++] = DIGITS[bytes[byte]! & 15]!;
  }
  return idText.toString('latin1', 0, 36);
}

/** Random bytes for 256 ids at a time: asking the kernel for each costs more than all the rest of an id. */
const ID_BYTES = 20;
const pool = Buffer.alloc(ID_BYTES * 256);
let used = pool.length;

function nextRandom(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.subarray(used - ID_BYTES, used);
}

/**
 * How tables name a scope: 4 bytes of its user's hash, so that a user's scopes lie together, and 12 of the
 * scope key's. 32 hex digits, which Postgres takes as a UUID.
 */
export function scopeIdOf(key: ScopeKey): string {
  const user = key.slice(0, key.lastIndexOf('/'));
  return hash('sha256', user, 'hex').slice(0, 8) + hash('sha256', key, 'hex').slice(0, 24);
}

/**
 * Where all scopes of a scope's user are: their ids are from `first` to `last`, and their keys begin with
 * `prefix`. Of four bytes of hash, other users may have the same ones.
 */
export function userRangeOf(key: ScopeKey): { first: string; last: string; prefix: string } {
  const hashed = scopeIdOf(key).slice(0, 8);
  const prefix = key.slice(0, key.lastIndexOf('/') + 1);
  return { first: hashed + '0'.repeat(24), last: hashed + 'f'.repeat(24), prefix };
}

/** What an ignored stop is counted under, together with its why. */
export function stopIdOf(sessionId: SessionId, origin: Owner, epoch: number): string {
  return digest(JSON.stringify([sessionId, epoch, origin.environment, origin.instance ?? null]));
}

/** What a failure that may pass is counted under. */
export function reportIdOf(sessionId: SessionId, epoch: number, reason: string): string {
  return digest(JSON.stringify(['transient', sessionId, epoch, reason]));
}

/** What a project's version is looked up by: of fixed size, whatever its name. */
export function versionKey(versionId: string): string {
  return digest(versionId);
}

const whos = new Map<string, string>();
const MOST_WHOS = 10_000;

/** How leases name a tenant or a principal: there are few of them, and renewals come all the time. */
export function whoId(name: string): string {
  let id = whos.get(name);
  if (id === undefined) {
    if (whos.size >= MOST_WHOS) whos.clear();
    id = digest(name);
    whos.set(name, id);
  }
  return id;
}

/** The first 128 bits of a SHA-256 as 32 hex digits. */
export function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

/** Salt for new details. */
export function newSalt(): Buffer {
  return randomBytes(16);
}

/** Details and what binds them to the log: SHA-256(salt ‖ body), base64url. */
export function newDetails(body: string, salt = newSalt()): NewDetails {
  return { salt, body, digest: createHash('sha256').update(salt).update(body).digest('base64url') };
}

/** How a ledger in Postgres names what is new, and what is called otherwise outside. The key hashes handles. */
export function namingOf({ partitions }: { partitions: number }, handleKey: Buffer): Naming {
  const hashOf = (name: string) => createHmac('sha256', handleKey).update(name).digest('base64url');
  return { partitions, newSessionId, newCommandId, hashOf, newDetails: (body) => newDetails(body), digest };
}
