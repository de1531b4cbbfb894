import type { AnswerOf } from '../calls/transport.js';
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

/** Those of all tenants. Throws for a credential that may not know of them. */
function figuresOf({ ledger }: AnswerOf<'stats'>) {
  if (ledger) return ledger;
  throw new TypeError('whoever follows all events needs a credential with the permission audit');
}

export async function readHeads(ledger: LedgerClient, signal: AbortSignal): Promise<Heads> {
  const { source, heads, restores } = figuresOf(
    await ledger.call('stats', { query: { limit: 1 } }, { signal }),
  );
  return {
    ...(source !== undefined && { ledgerId: source }),
    ...(restores !== undefined && { restores }),
    heads,
  };
}

/** What a follower stores of whose events it has: `/ledgers/<id>`, and how often its past had changed by then. */
export function withRestores(ledgerId: string | undefined, restores: number | undefined): string | undefined {
  return ledgerId !== undefined && restores ? `${ledgerId}#${restores}` : ledgerId;
}
