import type { LedgerClient } from './ledger-client.js';

/** How far a ledger was. */
export interface Heads {
  /** `/ledgers/<id>`, as in its events; absent when it does not tell. */
  ledgerId?: string;
  /** The last sequence of each partition that whoever answered knew of: another replica may know of more. */
  heads: readonly number[];
}

export async function readHeads(ledger: LedgerClient, signal: AbortSignal): Promise<Heads> {
  const { source, heads } = (await ledger.call('stats', { query: { limit: 1 } }, { signal })).ledger;
  return { ...(source !== undefined && { ledgerId: source }), heads };
}
