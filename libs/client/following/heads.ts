import type { LedgerClient } from '../ledger-client.js';

/** How far a ledger was. */
export interface Heads {
  /** `/ledgers/<id>`, as in its events; absent when it does not tell. */
  ledgerId?: string;
  /** The last sequence of each partition that whoever answered knew of: another replica may know of more. */
  heads: readonly number[];
  /** How often what a restore had lost was given up; absent when it does not tell. */
  restores?: number;
}

export async function readHeads(ledger: LedgerClient, signal: AbortSignal): Promise<Heads> {
  const { source, heads, restores } = (await ledger.call('stats', { query: { limit: 1 } }, { signal }))
    .ledger;
  return {
    ...(source !== undefined && { ledgerId: source }),
    ...(restores !== undefined && { restores }),
    heads,
  };
}
