import { setTimeout as sleep } from 'node:timers/promises';
import { contains, startProxy, type TcpProxy } from '../../../test/support/proxy.js';
import { LogError } from '../index.js';
import { ask, type Told, untruths } from '../testing/answers.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import { sendAtRandom } from '../testing/random-callers.js';
import { readLog } from '../testing/stored-log.js';
import { again, dev, end, keyed, newPlace, reportInvalid, sessionOf, start } from '../testing/submissions.js';

let ledger: TestLedger;
let proxy: TcpProxy;
let faults: unknown[];

beforeEach(async () => {
  ledger = await openTestLedger();
  const { hostname, port } = new URL(ledger.database.url);
  proxy = await startProxy({ target: { host: hostname, port: Number(port) } });
  faults = [];
});
afterEach(async () => {
  const broken = await brokenPromises(ledger.pool);
  await ledger.close();
  await proxy.close();
  expect(broken).toEqual([]);
});

/** A replica whose connections pass through the proxy. */
const writer = (options: { settleMs?: number; statementMs?: number; lanes?: number } = {}) => {
  const { statementMs = 1_000, ...more } = options;
  const database = { url: proxy.reroute(ledger.database.url), statementMs, connectMs: 5_000 };
  return ledger.writer({ ...more, database, onFault: (error) => void faults.push(error) });
};
const codeOf = ({ answer }: Told) => (answer instanceof LogError ? answer.code : answer.kind);
const stored = async () => new Set((await readLog(ledger.pool)).map(({ document }) => document.commandid));

const counts = async () => {
  const { rows } = await ledger.pool.query('select count from ledger.ignored_stops order by why');
  return rows.map(({ count }) => count);
};

const isCommit = contains('commit\0');
/** From the next COMMIT on, answers are lost and connections stay open. */
const loseAnswersFromCommitOn = () =>
  proxy.dropNextReplies(1, (request) => {
    if (isCommit(request)) proxy.swallowReplies();
    return false;
  });

describe('when the answer to COMMIT is lost', () => {
  test('a batch that is in the log is answered as accepted, and stands there once', async () => {
    const replica = writer({ lanes: 1 });
    const places = Array.from({ length: 20 }, () => newPlace(ledger.partitions));
    loseAnswersFromCommitOn();
    const asked = places.map((place) => ask(replica, start(place)));
    while ((await stored()).size < 20) await sleep(10);
    proxy.heal();
    const told = await Promise.all(asked);
    expect(told.map(codeOf)).toEqual(told.map(() => 'accepted'));
    expect(await untruths(told, ledger.pool)).toEqual([]);
  });

  test('a batch that is not in the log is decided again, and then stands there once', async () => {
    const replica = writer({ lanes: 1 });
    const place = newPlace(ledger.partitions);
    await replica.submit(start(place));
    await ledger.pool.query(refuseOnce('events'));
    const told = await Promise.all(Array.from({ length: 20 }, () => ask(replica, start(place))));
    expect(told.map(codeOf)).toEqual(told.map(() => 'accepted'));
    const log = await readLog(ledger.pool);
    expect(log).toHaveLength(1 + 2 * 20);
    expect(new Set(log.slice(1).map(({ document }) => document.commandid)).size).toBe(20);
    expect(faults.length).toBeGreaterThan(0);
  });

  test('a batch that is not in the log is not decided again once its time is over', async () => {
    const replica = ledger.writer({
      database: { url: proxy.reroute(ledger.database.url) },
      deadlineMs: 1_500,
      settleMs: 30_000,
      onFault(error) {
        if (faults.push(error) === 1) proxy.cut(); // nobody can look before the time is over
      },
    });
    const place = newPlace(ledger.partitions);
    await replica.submit(start(place));
    await ledger.pool.query(refuseOnce('events'));
    const asked = ask(replica, start(place));
    await sleep(1_600); // its time began before
    expect(faults.length).toBeGreaterThan(0);
    proxy.heal();
    expect(codeOf(await asked)).toBe('timeout');
    expect((await stored()).size).toBe(1);
  });

  test('a batch whose COMMIT is still under way is waited for', async () => {
    const replica = writer({ lanes: 1 });
    const place = newPlace(ledger.partitions);
    await replica.submit(start(place));
    await ledger.pool.query(commitSlowlyOnce);
    const asked = Promise.all(Array.from({ length: 20 }, () => ask(replica, start(place))));
    while (!(await isCommitting())) await sleep(5);
    proxy.cut();
    proxy.heal();
    const told = await asked;
    expect(told.map(codeOf)).toEqual(told.map(() => 'accepted'));
    expect((await stored()).size).toBe(1 + 20);
    expect(await readLog(ledger.pool)).toHaveLength(1 + 2 * 20);
    expect(faults.length).toBeGreaterThan(0);
  });

  test('what a batch without events counts is counted once', async () => {
    const replica = writer({ lanes: 1 });
    const place = newPlace(ledger.partitions);
    const old = sessionOf(await replica.submit(start(place)));
    const session = sessionOf(await replica.submit(start(place)));
    const refused = [end(old, { origin: dev }), reportInvalid(session, { certainty: 'transient' })];
    const submitAll = () => Promise.all(refused.map((submission) => ask(replica, again(submission))));
    await submitAll(); // their events: from now on they are only counted
    expect(await counts()).toEqual([1, 1]);

    loseAnswersFromCommitOn();
    const lost = submitAll();
    while ((await counts())[0] === 1) await sleep(10);
    proxy.heal();
    expect((await lost).map(codeOf)).toEqual(['refused', 'accepted']);
    expect(await counts()).toEqual([2, 2]);

    await ledger.pool.query(refuseOnce('ignored_stops')); // this one never commits
    expect((await submitAll()).map(codeOf)).toEqual(['refused', 'accepted']);
    expect(await counts()).toEqual([3, 3]);
  });

  test('while Postgres stays away, the outcome is unknown, and the key tells it afterwards', async () => {
    const replica = writer({ settleMs: 300, statementMs: 100 });
    const place = newPlace(ledger.partitions);
    await replica.submit(start(place));
    const sent = keyed(start(place), 'k');
    loseAnswersFromCommitOn();
    const asked = ask(replica, sent);
    while ((await stored()).size < 2) await sleep(10);
    proxy.cut();
    expect(codeOf(await asked)).toBe('unknown-outcome');
    proxy.heal();
    expect(await replica.submit(again(sent))).toMatchObject({ kind: 'accepted', replayed: true });
  });
});

/** Ends the connection of the next transaction that inserts into a table, before it can commit. */
const refuseOnce = (table: string) => `
  create sequence ledger.refused;
  grant usage on sequence ledger.refused to session_ledger;
  create function ledger.lose_connection() returns trigger language plpgsql security definer as $$
  begin
    if nextval('ledger.refused') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if;
    return null;
  end $$;
  create trigger lose_connection after insert on ledger.${table}
    for each statement execute function ledger.lose_connection()`;

/** The next transaction that inserts an event takes half a second to commit. */
const commitSlowlyOnce = `
  create sequence ledger.slow;
  create function ledger.commit_slowly() returns trigger language plpgsql security definer as $$
  begin
    if nextval('ledger.slow') = 1 then perform pg_sleep(0.5); end if;
    return null;
  end $$;
  create constraint trigger commit_slowly after insert on ledger.events
    deferrable initially deferred for each row execute function ledger.commit_slowly()`;

async function isCommitting(): Promise<boolean> {
  const { rowCount } = await ledger.pool.query(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'",
  );
  return rowCount === 1;
}

test('Postgres away: commands fail at once as unavailable, and succeed again by themselves', async () => {
  const replica = writer();
  const place = newPlace(ledger.partitions);
  const told = [await ask(replica, start(place))];
  proxy.cut();
  const began = performance.now();
  const away = await Promise.all(Array.from({ length: 50 }, () => ask(replica, start(place))));
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(new Set(away.map(codeOf))).toEqual(new Set(['unavailable']));
  proxy.heal();
  told.push(...away, await ask(replica, start(place)));
  expect(codeOf(told.at(-1)!)).toBe('accepted');
  expect(await untruths(told, ledger.pool)).toEqual([]);
});

test('Postgres silent: commands end at their statement time-out, and succeed again by themselves', async () => {
  const replica = writer({ statementMs: 100 });
  const place = newPlace(ledger.partitions);
  const told = [await ask(replica, start(place))];
  proxy.swallowReplies();
  const began = performance.now();
  told.push(await ask(replica, start(place)));
  expect(codeOf(told[1]!)).toBe('unavailable');
  expect(performance.now() - began).toBeLessThan(2_500);
  proxy.heal();
  told.push(await ask(replica, start(place)));
  expect(codeOf(told[2]!)).toBe('accepted');
  expect(await untruths(told, ledger.pool)).toEqual([]);
});

test('64 callers, and the connections lost at random moments: every answer is true', async () => {
  const replicas = [writer({ statementMs: 300 }), writer({ statementMs: 300, lanes: 1 }), ledger.writer()];
  const places = Array.from({ length: 16 }, () => newPlace(ledger.partitions));
  const seed = Math.floor(Math.random() * 2 ** 31);
  let over = false;
  const sending = sendAtRandom({
    writers: replicas,
    places,
    callers: 64,
    turns: 1_000,
    seed,
    stop: () => over,
  });
  let trials = 0;
  for (const until = performance.now() + 6_000; performance.now() < until; trials += 1) {
    await sleep(Math.random() * 30);
    const kind = Math.random();
    if (kind < 0.3) proxy.cut();
    else if (kind < 0.8) proxy.dropNextReplies(1, Math.random() < 0.5 ? isCommit : undefined);
    else loseAnswersFromCommitOn();
    await sleep(Math.random() * 60);
    proxy.heal();
  }
  over = true;
  const told = await sending;
  const [broken, untrue] = [await brokenPromises(ledger.pool), await untruths(told, ledger.pool)];
  expect({ seed, broken, untrue }).toEqual({ seed, broken: [], untrue: [] });
  expect(trials).toBeGreaterThan(50);
  const codes = told.map(codeOf);
  expect(codes.filter((code) => code === 'accepted').length).toBeGreaterThan(100);
  expect(codes).toContain('unavailable');
});
