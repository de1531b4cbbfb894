import { isProblem } from './errors.js';
import type { LedgerClient } from './ledger-client.js';

const MOST_PARTITIONS = 4_096;

/** How many partitions the ledger has: found by asking for one, since no route tells. At most 13 requests. */
export async function countPartitions(ledger: LedgerClient, signal: AbortSignal): Promise<number> {
  const exists = async (partition: number) => {
    try {
      await ledger.call(
        'feed',
        { query: { partition, after: Number.MAX_SAFE_INTEGER, limit: 1 } },
        { signal },
      );
      return true;
    } catch (error) {
      if (isProblem(error, 'invalid-request')) return false;
      throw error;
    }
  };
  let [least, beyond] = [1, MOST_PARTITIONS + 1];
  while (beyond - least > 1) {
    const middle = least === 1 && beyond > 17 ? 17 : Math.floor((least + beyond) / 2);
    if (await exists(middle - 1)) least = middle;
    else beyond = middle;
  }
  return least;
}
