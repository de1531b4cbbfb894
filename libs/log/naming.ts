import { createHmac } from 'node:crypto';
import type { Naming } from '#api';
import { digest, newCommandId, newSessionId } from './ids.js';
import type { LedgerIdentity } from './migrate.js';
import { newDetails } from './salted-details.js';

/** How a ledger in Postgres names what is new, and what is called otherwise outside. The key hashes handles. */
export function namingOf({ partitions }: LedgerIdentity, handleKey: Buffer): Naming {
  const hashOf = (name: string) => createHmac('sha256', handleKey).update(name).digest('base64url');
  return { partitions, newSessionId, newCommandId, hashOf, newDetails: (body) => newDetails(body), digest };
}
