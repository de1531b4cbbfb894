import { anonymous, startOf, unkeyed } from '#api';
import type { FeedEvent } from '#log';
// How late a lapse is. Run by hand, a little over a minute:
//   npm run build && npx tsc -p test/bench && node dist/test/bench/lapses.js
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionView } from '#api/schemas';
import type { Replica } from '../../apps/ledger/replica.js';
import { byHand, say } from './by-hand.js';
import { spreadOf } from './harness.js';
import { leasedBody } from './leases.js';
import { openHere } from './ledger.js';
import { startService } from './processes.js';
import { seed } from './seed.js';
import { startStack } from './stack.js';

const LIVE = 100_000;
const A_SECOND = 1_000;
const SECONDS = 20;
const LAPSING = A_SECOND * SECONDS;
/** Of those that lapse: longer than they take to be started, so that starts and lapses do not meet. */
const LEASE_SECONDS = 25;
/** Starts are made in lots, so many a second. */
const TICKS = 50;

await byHand(240_000, async (cleanup, signal) => {
  const stack = await startStack(false, cleanup);
  const DATABASE_URL = await stack.createDatabase('lapses');
  await seed(DATABASE_URL, LIVE - LAPSING, signal, (n) => leasedBody(n, 86_400));
  // It has the reaper; what happens is seen from here, as another replica that asks for news every 50 ms.
  await startService({ DATABASE_URL, KAFKA_BROKERS: 'none' }, cleanup);
  const ledger = await openHere(DATABASE_URL, { LEDGER_ROLES: 'api' });
  cleanup.add(ledger.close);
  const delays = observe(ledger);

  await startPaced(ledger, signal);
  const until = performance.now() + (LEASE_SECONDS + 30) * 1_000;
  while (delays.seen.length < LAPSING && performance.now() < until) {
    signal.throwIfAborted();
    await sleep(100);
  }
  if (delays.seen.length < LAPSING) throw new Error(`only ${delays.seen.length} of ${LAPSING} lapsed`);
  say(`${LIVE.toLocaleString('en')} live leases, of which ${A_SECOND.toLocaleString('en')} a second lapse`);
  say(`from a lease's end to its event's time:            ${spreadOf(delays.event)}`);
  say(`from a lease's end until another replica has it:   ${spreadOf(delays.seen)}`);
});

/** How long after the end of its lease each lapse has its time, and is seen here, in milliseconds. */
function observe({ tail }: Replica): { event: number[]; seen: number[] } {
  const delays = { event: [] as number[], seen: [] as number[] };
  const lapsed = ({ type }: FeedEvent) => type.includes('OwnershipLapsed');
  tail.listen((events) => {
    const now = Date.now();
    for (const { bytes } of events.filter(lapsed)) {
      const { time, data } = JSON.parse(bytes.toString()) as { time: string; data: { session: SessionView } };
      const end = Date.parse(data.session.startedAt) + LEASE_SECONDS * 1_000;
      delays.event.push(Date.parse(time) - end);
      delays.seen.push(now - end);
    }
  });
  return delays;
}

/** Starts what will lapse, evenly over the seconds. */
async function startPaced({ naming, writer }: Replica, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  const answers: Promise<unknown>[] = [];
  for (let tick = 0; tick < SECONDS * TICKS; tick++) {
    signal.throwIfAborted();
    for (let each = 0; each < A_SECOND / TICKS; each++) {
      const body = leasedBody(LIVE + answers.length, LEASE_SECONDS);
      answers.push(writer.submit(startOf({ ...unkeyed(anonymous), body }, naming)));
    }
    await sleep(Math.max(0, began + ((tick + 1) * 1_000) / TICKS - performance.now()));
  }
  await Promise.all(answers);
}
