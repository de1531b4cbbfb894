import type { Caller } from '../caller.js';
import type { Naming, ReceiptKey } from '../ledger.port.js';
import { canonicalJson } from '../request/canonical.js';
import { meantBy } from '../request/reported-usage.js';

/** What is asked for, whatever the operation. */
export interface Keyed {
  caller: Caller;
  key: string | undefined;
  path: string;
  params: object;
  body: unknown;
  traceparent?: string | undefined;
}

/** What the ledger, or a program, asks for by itself: without a key. */
export function unkeyed(caller: Caller): Keyed {
  return { caller, key: undefined, path: '', params: {}, body: undefined };
}

/** What an idempotency key is kept as, with what its request means; undefined for a request without a key. */
export function receiptOf(
  { caller, key, path, params, body }: Keyed,
  { digest }: Pick<Naming, 'digest'>,
): ReceiptKey | undefined {
  if (key === undefined) return undefined;
  const { sessionId } = params as { sessionId?: string };
  const address = sessionId === undefined ? path : path.replace(':sessionId', sessionId);
  return {
    key: digest(JSON.stringify([caller.tenant, caller.principal, key])),
    fingerprint: digest(canonicalJson([address, meantBy(body)])),
    // Up to 0.1 the members counted in the order in which they came.
    formerly: () => digest(JSON.stringify([address, body])),
  };
}

/** Whether a key was kept for the request that brings it now. Hex digits only. */
export function isSameRequest(kept: string, { fingerprint, formerly }: ReceiptKey): boolean {
  return kept === fingerprint || kept === formerly?.();
}
