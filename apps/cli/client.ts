import type { LedgerOptions } from '#client';
import { tokenFromEnvironment } from '#client/node';

/** How the ledger at an address is asked: with the key in LEDGER_TOKEN or LEDGER_TOKEN_FILE, never in an argument. */
export function clientOptions(url: string): LedgerOptions {
  return { url, token: tokenFromEnvironment() };
}
