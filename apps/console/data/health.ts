import { Refused } from './call';
import { readText } from './read-text';

/** What `/health/ready` says; without the permission audit `ready` alone. */
export interface Health {
  ready: boolean;
  postgres?: string;
  relay?: string;
  relayWhy?: string;
  relayWarnings?: string[];
  projector?: string;
  projectorWhy?: string;
}

export async function readHealth(signal: AbortSignal): Promise<Health> {
  try {
    return JSON.parse(await readText('/health/ready', signal)) as Health;
  } catch (error) {
    // 503, and why in its body.
    const body = error instanceof Refused ? (error.problem as Partial<Health> | undefined) : undefined;
    if (typeof body?.ready === 'boolean') return body as Health;
    throw error;
  }
}

const POSTGRES: Record<string, string> = {
  'read-only': 'Postgres is read-only: reads work, commands do not',
  'disk-full': 'the disk of Postgres is full: reads work, commands do not',
  'writes-wait': 'commands have been waiting for Postgres for seconds',
  unavailable: 'Postgres does not answer',
};
const RELAY: Record<string, string> = {
  behind: 'Kafka is behind: events wait in Postgres',
  stopped: 'the relay to Kafka has stopped',
};
const PROJECTOR: Record<string, string> = {
  behind: 'the read models are behind',
  stopped: 'the read models have stopped',
};

/** In one line, with why. */
export function healthIn(health: Health): { isWell: boolean; text: string } {
  const { ready, postgres = 'ok', relay = 'none', relayWhy, projector = 'none', projectorWhy } = health;
  const because = (what: string | undefined, why: string | undefined) =>
    what === undefined ? [] : [why === undefined ? what : `${what} (${why})`];
  const troubles = [
    ...because(POSTGRES[postgres], undefined),
    ...because(RELAY[relay], relayWhy),
    ...because(PROJECTOR[projector], projectorWhy),
  ];
  const warnings = health.relayWarnings ?? [];
  if (!ready) return { isWell: false, text: `Not ready: ${troubles.join('; ') || 'it gives no reason'}.` };
  if (troubles.length > 0) return { isWell: false, text: `Ready, but ${troubles.join('; ')}.` };
  if (warnings.length > 0) return { isWell: true, text: `Ready. About Kafka: ${warnings.join(' ')}` };
  if (health.postgres === undefined) return { isWell: true, text: 'Ready.' };
  const kafka = { relaying: 'Kafka has all events', standby: 'another replica relays to Kafka' }[relay];
  return {
    isWell: true,
    text: `Ready: Postgres accepts writes; ${kafka ?? 'this replica relays to no Kafka'}.`,
  };
}
