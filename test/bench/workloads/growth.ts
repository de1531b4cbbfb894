import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { anonymous, startOf, unkeyed } from '#api';
import type { StartBody } from '#api/schemas';
import { LogError } from '#log';
import type { Replica } from '../../../apps/ledger/replica.js';
import { openHere } from '../ledger.js';
import { startBody } from '../scopes.js';
import { execute } from '../stack.js';

const CALLERS = 4_096;
/** One that was not obeyed, while Postgres wrote its dirty pages, asks again: so often, after so long. */
const [TRIES, RETRY_MS] = [60, 1_000];
/** Twice the service's most: filling is not what is measured. */
const BATCH = '1024';
/** Of so many events one scope is new; the others change those that there are. */
const EVENTS_A_SCOPE = 10;
const TELL_MS = 10_000;

/** How far a ledger has grown. */
export interface Grown {
  events: number;
  /** The first so many scopes have a session. */
  scopes: number;
  seconds: number;
}

/**
 * Makes a ledger in an empty database and fills it through its own writer: first a session in each scope, one
 * for EVENTS_A_SCOPE events, then others in their places, two events each. Stops at so many events, or when
 * `withinMs` have passed.
 */
export async function grow(
  databaseUrl: string,
  { events, withinMs }: { events: number; withinMs: number },
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Grown> {
  const more = { LEDGER_ROLES: 'api', LEDGER_MAX_BATCH: BATCH, LEDGER_MAX_QUEUE: String(2 * CALLERS) };
  const ledger = await openHere(databaseUrl, more);
  const most = Math.ceil(events / EVENTS_A_SCOPE);
  const began = performance.now();
  let [scopes, asked, told] = [0, 0, began];
  const caller = async () => {
    for (let now = began; asked < events && now < began + withinMs; now = performance.now()) {
      signal.throwIfAborted();
      const isNew = scopes < most;
      asked += isNew ? 1 : 2;
      const body = startBody(isNew ? scopes++ : randomInt(scopes));
      await start(ledger, body, signal);
      if (now > told + TELL_MS) {
        told = now;
        say(`    ${asked.toLocaleString('en')} of ${events.toLocaleString('en')} events`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const seconds = (performance.now() - began) / 1_000;
    return { events: await eventsOf(databaseUrl), scopes, seconds };
  } finally {
    await ledger.close();
  }
}

/** Starts a session, asking again while Postgres cannot; a session that was started twice is superseded once. */
async function start({ naming, writer }: Replica, body: StartBody, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await writer.submit(startOf({ ...unkeyed(anonymous), body }, naming));
      if (answer.kind === 'accepted') return;
      throw new Error(`a start was answered ${answer.kind}`);
    } catch (error) {
      if (!(error instanceof LogError) || tries === TRIES) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}

/** Bytes on disk for each event: of everything in the ledger's schema, and of the events and their index alone. */
export async function bytesAnEvent(databaseUrl: string): Promise<{ all: number; events: number }> {
  const { rows } = await execute(
    databaseUrl,
    `select sum(pg_total_relation_size(c.oid))::float as all,
            sum(pg_total_relation_size(c.oid)) filter (where c.relname ~ '^events')::float as events
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'ledger' and c.relkind in ('r', 'm')`,
  );
  const count = await eventsOf(databaseUrl);
  return { all: rows[0].all / count, events: rows[0].events / count };
}

async function eventsOf(databaseUrl: string): Promise<number> {
  const { rows } = await execute(databaseUrl, 'select sum(sequence)::float as count from ledger.heads');
  return rows[0].count;
}
