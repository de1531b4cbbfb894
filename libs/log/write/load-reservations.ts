import type pg from 'pg';
import { ints, send, timestamps } from '#postgres';
import { type Epoch, type Instant, isLapsed, type ScopeKey, type Session } from '#session';
import { statement } from '../statements.js';
import type { Loaded, PutOff } from './loaded.js';

const readReservations = statement('read_reservations');

/** How long a reservation is taken to be that was made before this was kept. */
const USUAL_SECONDS = 60;

/** Reservations whose end has come, and was put off by an outage. Mostly there is none to ask for: no round trip. */
export async function loadReservations(
  client: pg.Client,
  { scopes, due, now }: Pick<Loaded, 'scopes' | 'due' | 'now'>,
): Promise<Map<ScopeKey, PutOff>> {
  const ended: { scopeKey: ScopeKey; epoch: Epoch; until: Instant; seconds: number }[] = [];
  for (const [scopeKey, { latest }] of scopes) {
    const until = latest?.reservedUntil;
    if (!latest || until === undefined || Date.parse(until) > now || due.has(scopeKey)) continue;
    ended.push({ scopeKey, epoch: latest.epoch, until, seconds: secondsOf(latest) });
  }
  const putOff = new Map<ScopeKey, PutOff>();
  if (ended.length === 0) return putOff;
  const values = [timestamps(ended, ({ until }) => until), ints(ended, ({ seconds }) => seconds)];
  const [{ rows }] = await send(client, [{ ...readReservations, values }]);
  for (const { number, until } of rows) {
    const one = ended[number - 1];
    if (one) putOff.set(one.scopeKey, { epoch: one.epoch, until });
  }
  return putOff;
}

/** What a lapse has reserved ends when the session does, by the time of its lease. */
function secondsOf(session: Session): number {
  const { reservedSeconds, lease } = session;
  return (isLapsed(session) ? lease?.seconds : reservedSeconds) ?? USUAL_SECONDS;
}
