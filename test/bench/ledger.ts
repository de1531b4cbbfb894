import { readConfig } from '../../apps/ledger/config.js';
import { Faults } from '../../apps/ledger/faults.js';
import { Metrics } from '../../apps/ledger/metrics.js';
import { openReplica, type Replica } from '../../apps/ledger/replica.js';

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
): Promise<Replica> {
  const places = { DATABASE_URL: databaseUrl, LEDGER_MIGRATE: 'at-start' };
  const config = readConfig({ ...settings(), ...places, ...more });
  const replica = await openReplica(config, { databaseUrl, kafkaBrokers: [] }, new Faults(), metrics);
  replica.start();
  return replica;
}

/** Events that a ledger has, and those that it has projected. */
export function standing({ tail, projector }: Replica): { head: number; projected: number } {
  const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0);
  const projected = projector?.status().map(({ sequence }) => sequence) ?? [];
  return { head: sum(tail.heads()), projected: sum(projected) };
}

/** Waits until everything is projected; how many events that were. */
export async function caughtUp(ledger: Replica): Promise<number> {
  if (!ledger.projector) return 0;
  const before = standing(ledger);
  for (;;) {
    const { head, projected } = standing(ledger);
    if (projected >= head) return projected - before.projected;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
