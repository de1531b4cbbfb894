import { createHash, randomBytes } from 'node:crypto';
import type { NewDetails } from '#api';

/** Salt for new details. */
export function newSalt(): Buffer {
  return randomBytes(16);
}

/** Details and what binds them to the log: SHA-256(salt ‖ body), base64url. */
export function newDetails(body: string, salt = newSalt()): NewDetails {
  return { salt, body, digest: createHash('sha256').update(salt).update(body).digest('base64url') };
}
