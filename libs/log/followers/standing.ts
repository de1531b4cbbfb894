import type pg from 'pg';
import type { RelayStanding } from '#api';
import { ask } from '../errors.js';
import { statement } from '../statements.js';

const readRelays = statement('read_relays');
const findReplicas = statement('find_replicas');

/** What the connections of a replica to the log's end are called: this and the replica's id. */
export const REPLICA = 'session-ledger replica ';

/** How far Kafka is known to have each partition. Rejects with LogError `unavailable`. */
export async function relayStandings(pool: pg.Pool): Promise<RelayStanding[]> {
  return (await ask(pool, readRelays)).rows;
}

/** The ids of the replicas that are connected to Postgres, at most 100. Rejects with LogError `unavailable`. */
export async function replicasSeen(pool: pg.Pool): Promise<string[]> {
  return (await ask(pool, findReplicas, [REPLICA])).rows.map(({ id }) => id);
}
