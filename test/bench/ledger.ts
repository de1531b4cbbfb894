import { readConfig } from '../../apps/ledger/config.js';
import { Faults } from '../../apps/ledger/faults.js';
import { type Ledger, openLedger } from '../../apps/ledger/ledger.js';
import { Metrics } from '../../apps/ledger/metrics.js';

/** The service's settings, so that LEDGER_WRITERS and the like can be tried out. */
export function settings(): Record<string, string> {
  const given = Object.entries(process.env).filter(
    ([name, value]) =>
      /^LEDGER_(WRITERS|MAX_BATCH|MAX_QUEUE|PARTITIONS|PROJECTOR_SHARE)$/.test(name) && value,
  );
  return Object.fromEntries(given) as Record<string, string>;
}

/** Opens a ledger in this process, composed as the service composes it; the database may be empty. */
export async function openHere(
  databaseUrl: string,
  more: Record<string, string> = {},
  metrics = new Metrics(),
): Promise<Ledger> {
  const places = { DATABASE_URL: databaseUrl, LEDGER_MIGRATE: 'at-start' };
  const config = readConfig({ ...settings(), ...places, ...more });
  return openLedger(config, { databaseUrl, kafkaBrokers: [] }, new Faults(), metrics);
}
