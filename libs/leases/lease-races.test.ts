import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import type { Session } from '#session';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { groupBy, readLog, type StoredEvent } from '../log/testing/stored-log.js';
import { forSession, newPlace, type Place, sessionOf, start } from '../log/testing/submissions.js';
import { leaseOf, openReplica, type Renewed, type Replica, terms } from './testing/leases.js';

const LEASES = 150;
const ROUNDS_MS = 6_000;

/** What all those were told who asked for one lease at the same moment. */
interface Volley {
  session: Session;
  /** By the clock of this machine, which is the database's. */
  began: number;
  ended: number;
  renewals: Renewed[];
  /** An owner command of the same moment. */
  command: string;
}

let ledger: TestLedger;
let replicas: Replica[];
beforeAll(async () => {
  ledger = await openTestLedger();
  replicas = [openReplica(ledger), openReplica(ledger), openReplica(ledger)];
  for (const replica of replicas.slice(0, 2)) replica.startReaper(100);
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await ledger.close();
});

const move = fc.record({
  /** Around the end of the lease, in milliseconds. */
  early: fc.integer({ min: -25, max: 60 }),
  silent: fc.constantFrom(false, false, false, false, true),
  command: fc.constantFrom('ActivateSession', 'ChangeAttributes', 'TouchSession'),
});

test('renewals that come at the last moment, and lapses: one of them wins, and everybody is told the same', async () => {
  const volleys = (await Promise.all(Array.from({ length: LEASES }, (_, player) => play(player)))).flat();
  for (const { faults } of replicas) expect(faults).toEqual([]);
  expect(await brokenPromises(ledger.pool)).toEqual([]);

  const lapses = await lapsesBySession();
  const lost = volleys.filter((volley) => !isKept(volley));
  const kept = volleys.filter(isKept);
  expect(lost.length).toBeGreaterThan(LEASES);
  expect(kept.length).toBeGreaterThan(LEASES);
  expect(volleys.filter(disagrees)).toEqual([]);
  expect(volleys.filter((volley) => wasToldWrong(volley, lapses))).toEqual([]);
}, 60_000);

/** Keeps one lease, most of the time; where it is lost, claims it back or starts anew. */
async function play(player: number): Promise<Volley[]> {
  const volleys: Volley[] = [];
  const place = newPlace(ledger.partitions);
  const lease = {
    seconds: 1 + (player % 2),
    graceSeconds: player % 3,
    onLapse: player % 5 ? ('release' as const) : ('end' as const),
    renewOn: player % 4 ? ('heartbeat' as const) : ('use' as const),
  };
  const over = performance.now() + ROUNDS_MS;
  const [one] = replicas as [Replica];
  const begin = async () => sessionOf(await one.submit(start(place, terms(lease))));
  let session = await begin();
  let until = Date.parse(session.startedAt) + lease.seconds * 1_000;
  for (const { early, silent, command } of fc.sample(move, { numRuns: 100, seed: player })) {
    if (performance.now() > over) break;
    await pause(Math.max(0, until - early - Date.now()));
    if (silent) await pause(200); // the reaper comes first, or a command
    const volley = await fire(session, command, player);
    volleys.push(volley);
    const row = await leaseOf(ledger, session);
    const next = isKept(volley) ? session : await takeBack(one, session, place);
    const ends = volley.renewals.map((told) => ('until' in told ? Date.parse(told.until) : 0));
    if (next === session && row?.epoch === session.epoch && row.until.getTime() < Math.max(...ends)) {
      throw new Error('a lease was shortened');
    }
    session = next ?? (await begin());
    until = ((await leaseOf(ledger, session))?.until ?? new Date()).getTime();
  }
  return volleys;
}

/** Three replicas renew, and a command comes along, all at once. */
async function fire(session: Session, type: string, player: number): Promise<Volley> {
  const began = Date.now();
  const submission = forSession(session, {
    type,
    ...(type === 'ChangeAttributes' && { attributesDigest: `d${began}` }),
  } as never);
  const [answer, ...renewals] = await Promise.all([
    (replicas[player % 2] as Replica).submit(submission),
    ...replicas.map((replica) => replica.renew(session)),
  ]);
  const command = answer.kind === 'refused' ? answer.refusal.code : sessionOf(answer).status;
  return { session, began, ended: Date.now(), renewals, command };
}

/** Claims a lapsed session under its new epoch, as its old owner may during the grace. */
async function takeBack(replica: Replica, session: Session, place: Place): Promise<Session | undefined> {
  const owner = session.owner ?? { environment: '' };
  const join = start(place, { owner, onConflict: 'reject', ...terms() });
  const { refusal } = (await replica.submit(join)) as { refusal?: { current?: Session } };
  if (refusal?.current?.status !== 'released') return undefined;
  const answer = await replica.submit(forSession(refusal.current, { type: 'ClaimOwnership', owner }));
  return answer.kind === 'accepted' ? answer.session : undefined;
}

function isKept({ renewals }: Volley): boolean {
  return renewals.some((told) => 'until' in told);
}

/** Either all of them still have it, or none. Only the command may have come before the end, and done nothing. */
function disagrees({ renewals, command }: Volley): boolean {
  const kept = new Set(renewals.map((told) => 'until' in told));
  return kept.size > 1 || (kept.has(true) && command !== 'active');
}

interface Lapse {
  /** The epoch that was lost. */
  epoch: number;
  at: number;
}

async function lapsesBySession(): Promise<Map<string, Lapse[]>> {
  const log = await readLog(ledger.pool);
  const lapses = log.flatMap(({ event, at }: StoredEvent) => {
    const isLapse =
      event.type === 'OwnershipLapsed' || (event.type === 'SessionExpired' && event.session.owner);
    if (!isLapse || !('session' in event)) return [];
    const { sessionId, epoch } = event.session;
    return [{ sessionId, epoch: epoch - 1, at: Date.parse(at) }];
  });
  const found = groupBy(lapses, ({ sessionId }) => sessionId);
  for (const [sessionId, all] of found) {
    if (new Set(all.map(({ epoch }) => epoch)).size < all.length)
      throw new Error(`${sessionId} lapsed twice`);
  }
  return found;
}

/** Told "until", and yet it lapsed before; or told "no", and it had not lapsed; or renewed after it lapsed. */
function wasToldWrong({ session, began, ended, renewals }: Volley, lapses: Map<string, Lapse[]>): boolean {
  const lapse = lapses.get(session.sessionId)?.find(({ epoch }) => epoch === session.epoch);
  return renewals.some((told) => {
    if (!('until' in told)) return !lapse || lapse.at > ended;
    return lapse !== undefined && (lapse.at < Date.parse(told.until) || lapse.at < began);
  });
}
