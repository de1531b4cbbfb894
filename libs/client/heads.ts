import { parts } from './chunks.js';
import { isProblem } from './errors.js';
import type { LedgerClient } from './ledger-client.js';

/** How far a ledger was. */
export interface Heads {
  /** `/ledgers/<id>`, as in its events; absent when it does not tell. */
  ledgerId?: string;
  /** The last sequence of each partition that whoever answered knew of: another replica may know of more. */
  heads: readonly number[];
}

export async function readHeads(ledger: LedgerClient, signal: AbortSignal): Promise<Heads> {
  try {
    const { source, heads } = (await ledger.call('stats', { query: { limit: 1 } }, { signal })).ledger;
    return { ...(source !== undefined && { ledgerId: source }), heads };
  } catch (error) {
    // An older one, which has no such route, says it only along with its current sessions.
    if (isProblem(error, 'not-found')) return { heads: await headsOfSnapshot(ledger, signal) };
    throw error;
  }
}

async function headsOfSnapshot(ledger: LedgerClient, signal: AbortSignal): Promise<number[]> {
  const heads: number[] = [];
  for await (const lines of parts(await ledger.stream('snapshot', {}, { signal }), '\n')) {
    for (const { position, complete } of lines.map((line) => JSON.parse(line))) {
      if (position) heads[position.partition] = position.sequence;
      if (complete) return heads;
    }
  }
  throw new Error('the snapshot broke off');
}
