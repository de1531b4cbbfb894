// A door of its own, #dev-stack/local-ledger: the command line looks here whenever it starts.

import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a ledger is reached that runs on this machine with a Postgres of its own. */
export interface LocalLedger {
  url: string;
  databaseUrl: string;
  /** `host:port` each; none without Kafka. */
  kafkaBrokers: readonly string[];
}

const fileIn = (dataDir: string) => join(dataDir, 'running.json');

/**
 * Tells the command line of this machine where the ledger is, in `<dataDir>/running.json`, which its account alone may
 * read. Returns what takes it back. Rejects with the file system's error.
 */
export async function announceLedger(dataDir: string, ledger: LocalLedger): Promise<() => Promise<void>> {
  const file = fileIn(dataDir);
  await rm(file, { force: true }); // a file that is there keeps its mode
  await writeFile(file, `${JSON.stringify(ledger)}\n`, { mode: 0o600, flag: 'wx' });
  return () => rm(file, { force: true });
}

/** The ledger whose data is in this directory, as far as it said so; it may have been killed since. */
export function localLedger(dataDir: string): Partial<LocalLedger> {
  try {
    return JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as LocalLedger;
  } catch {
    return {}; // none runs here, or it is another account's
  }
}
