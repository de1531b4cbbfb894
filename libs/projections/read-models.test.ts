import { setTimeout as sleep } from 'node:timers/promises';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import {
  forSession,
  newPlace,
  type Place,
  rotate,
  sessionOf,
  start,
  withAttributes,
} from '../log/testing/submissions.js';
import { ReadModels } from './read-models.js';
import { projectAll } from './testing/projections.js';

let ledger: TestLedger;
let models: ReadModels;
let place: Place;
let versionOf: (n: number) => string;
beforeAll(async () => {
  ledger = await openTestLedger(1);
  models = new ReadModels(ledger.servicePool(1));
  // Prepared while there is next to nothing: these plans stay.
  await allReads(newPlace(1));
  place = newPlace(1);
  versionOf = (n) => `version ${n % 1_000}`;
  const writer = ledger.writer();
  let session = sessionOf(await writer.submit(withAttributes(start(place), '{"a":1}')));
  for (let n = 1; n < 2_000; n++) {
    const { sessionId: _, ...command } = rotate(session).command as {
      sessionId: string;
      successorId: string;
    };
    const versioned = {
      type: 'RotateSession',
      reason: 'build',
      ...command,
      versionId: versionOf(n),
    } as const;
    session = sessionOf(await writer.submit(forSession(session, versioned)));
  }
  await Promise.all(
    Array.from({ length: 500 }, () => writer.submit(withAttributes(start(newPlace(1)), '{}'))),
  );
  await projectAll(ledger, 500);
});
afterAll(() => ledger.close());

const allReads = (scope: Place) =>
  Promise.all([
    models.sessions(scope, { limit: 10 }),
    models.sessions(scope, { limit: 10, versionId: 'no such version' }),
    models.chain(scope, { limit: 10 }),
    models.transitions(scope, { limit: 10 }),
  ]);

test('a page costs what it holds, not what lies beside it, also by plans that were made when all was empty', async () => {
  const before = await touched();
  for (let times = 0; times < 5; times++) {
    const [sessions, none, chain, transitions] = await allReads(place);
    expect([sessions, none, chain, transitions].map(({ rows }) => rows.length)).toEqual([10, 0, 10, 10]);
  }
  expect((await touched()) - before).toBeLessThan(5 * 60);
});

test('of several sessions of one version the newest comes first', async () => {
  const { rows } = await models.sessions(place, { limit: 10, versionId: versionOf(7) });
  expect(rows.map(({ json }) => JSON.parse(json).chainLength)).toEqual([1_008, 8]);
  const older = { limit: 10, versionId: versionOf(7), before: rows[0]!.started };
  expect((await models.sessions(place, older)).rows).toEqual(rows.slice(1));
});

/** How many rows indexes have fetched. */
async function touched(): Promise<number> {
  await sleep(1_100); // a connection reports its counts at most once a second
  const { rows } = await ledger.pool.query(
    `select sum(idx_tup_fetch)::int as rows from pg_stat_user_tables
      where schemaname = 'ledger' and relname in ('projected_sessions', 'projected_transitions', 'details')`,
  );
  return rows[0].rows;
}
