import pg from 'pg';
import type { Submission } from '#api';
import { ownStep } from '../errors.js';
import { type LedgerWriter, LogError } from '../index.js';
import { ask, type Told, untruths } from '../testing/answers.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import { readLog } from '../testing/stored-log.js';
import { end, newPlace, sessionOf, start, withAttributes } from '../testing/submissions.js';

let ledger: TestLedger;
let faults: unknown[];
beforeEach(async () => {
  ledger = await openTestLedger();
  faults = [];
});
afterEach(async () => {
  const broken = await brokenPromises(ledger.pool);
  await ledger.close();
  expect(broken).toEqual([]);
});

const onFault = (error: unknown) => void faults.push(error);
const codesOf = (told: readonly Told[]) =>
  told.map(({ answer }) => (answer instanceof LogError ? answer.code : answer.kind));
const submitAll = (writer: LedgerWriter, submissions: readonly Submission[]) =>
  Promise.all(submissions.map((submission) => ask(writer, submission)));

/** Runs `during` while another connection holds the lock of a partition's head. */
async function whileLocked<T>(
  partition: number,
  during: (release: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const holder = new pg.Client({ connectionString: ledger.database.url });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select 1 from ledger.heads where partition = $1 for update', [partition]);
  try {
    return await during(async () => void (await holder.query('rollback')));
  } finally {
    await holder.end();
  }
}

describe('a command that cannot be obeyed fails alone', () => {
  /** A hundred commands, the broken one in their middle, all in one batch. */
  const around = async (broken: Submission) => {
    const writer = ledger.writer({ lanes: 1, onFault });
    const known = (await readLog(ledger.pool)).length;
    const place = newPlace(ledger.partitions);
    const fine = Array.from({ length: 100 }, (_, index) =>
      start(index % 2 ? place : newPlace(ledger.partitions)),
    );
    const told = await submitAll(writer, [...fine.slice(0, 50), broken, ...fine.slice(50)]);
    const codes = codesOf(told);
    expect(codes.splice(50, 1)).toEqual(['rejected']);
    expect(codes).toEqual(fine.map(() => 'accepted'));
    expect(await readLog(ledger.pool)).toHaveLength(known + 50 + 2 * 50 - 1); // one scope superseded 49 times
    expect(faults.length).toBeGreaterThan(0);
  };

  test('because Postgres refuses its data', async () => {
    await around(withAttributes(start(newPlace(ledger.partitions)), 'a NUL: \u0000'));
  });

  test('because its id is none', async () => {
    const session = sessionOf(await ledger.writer().submit(start(newPlace(ledger.partitions))));
    await around(end({ ...session, sessionId: '01890000-0000-7000-0000-00000000000g' }));
  });

  test('because its partition does not exist', async () => {
    await around({ ...start(newPlace(ledger.partitions)), partition: 1_000 });
  });

  test('because the decider breaks on it', async () => {
    const submission = start(newPlace(ledger.partitions));
    await around({ ...submission, command: { ...submission.command, scope: undefined } as never });
  });

  test('because it has no origin, which loading it needs', async () => {
    const session = sessionOf(await ledger.writer().submit(start(newPlace(ledger.partitions))));
    await around(end(session, { origin: undefined as never }));
  });

  test('because its details cannot be written down', async () => {
    const submission = withAttributes(start(newPlace(ledger.partitions)), '{}');
    await around({ ...submission, details: { ...submission.details, salt: 1n } as never });
  });

  test('because its second event cannot be written down, the first one included', async () => {
    const writer = ledger.writer();
    const place = newPlace(ledger.partitions);
    await writer.submit(start(place));
    await around(start(place, { principal: 1n as never }));
    await around(start(place, { owner: { environment: 'cloud-dev', instance: 1n as never } }));
  });
});

test('a mistake of our own that is of no command fails all of them, and is not tried again in parts', async () => {
  const writer = ledger.writer({ lanes: 1, database: { url: 1 as never }, onFault });
  const told = await submitAll(
    writer,
    Array.from({ length: 8 }, () => start(newPlace(ledger.partitions))),
  );
  expect(codesOf(told)).toEqual(told.map(() => 'rejected'));
  expect(faults).toEqual([expect.objectContaining({ name: 'TypeError' })]);
});

test('what our own code breaks on is not quoted, since the fault is logged', () => {
  const breaking = () => ownStep(() => JSON.parse('canary'));
  expect(breaking).toThrow('The ledger itself is at fault: SyntaxError');
  expect(breaking).not.toThrow(/canary/);
});

test('a fault of those who listen harms no sender', async () => {
  const broken = () => {
    throw new Error('a listener broke');
  };
  const writer = ledger.writer({ onCommitted: broken, settleMs: 500, onFault });
  expect(await writer.submit(start(newPlace(ledger.partitions)))).toMatchObject({ kind: 'accepted' });
  expect(faults).toEqual([new Error('a listener broke')]);
});

describe('every wait has an end', () => {
  test('a full queue answers overloaded at once, and what was in it is obeyed', async () => {
    const writer = ledger.writer({ lanes: 1, maxQueue: 10, maxBatch: 1, onFault });
    const place = newPlace(ledger.partitions);
    // Before the first one leaves the queue.
    const asked = Array.from({ length: 20 }, () => ask(writer, start(place)));
    const refused = await Promise.all(asked.slice(10));
    expect(codesOf(refused)).toEqual(refused.map(() => 'overloaded'));
    expect(writer.waiting).toBe(10);
    const told = await Promise.all(asked);
    expect(codesOf(told.slice(0, 10))).toEqual(Array(10).fill('accepted'));
    expect(await untruths(told, ledger.pool)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('a command that stands in the queue at its deadline is answered timeout, and not obeyed', async () => {
    const writer = ledger.writer({ lanes: 1, deadlineMs: 200, onFault });
    const place = newPlace(ledger.partitions);
    const told = await whileLocked(place.partition, async (release) => {
      const first = ask(writer, start(place));
      await new Promise((resolve) => setTimeout(resolve, 50));
      const late = Array.from({ length: 5 }, () => ask(writer, start(place)));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const answered = [await first, ...(await Promise.all(late))];
      await release();
      return answered;
    });
    expect(codesOf(told)).toEqual(Array(6).fill('timeout'));
    expect(await untruths(told, ledger.pool)).toEqual([]);
  });

  test('a lock that nobody gives back has commands time out, and the next ones are obeyed', async () => {
    const writer = ledger.writer({ deadlineMs: 500, onFault });
    const place = newPlace(ledger.partitions);
    const started = performance.now();
    const told = await whileLocked(place.partition, () => submitAll(writer, [start(place), start(place)]));
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(codesOf(told)).toEqual(['timeout', 'timeout']);
    const next = await ask(writer, start(place));
    expect(codesOf([next])).toEqual(['accepted']);
    expect(await untruths([...told, next], ledger.pool)).toEqual([]);
  });

  test('a stopping writer answers what it has, and refuses the rest', async () => {
    const writer = ledger.writer();
    const place = newPlace(ledger.partitions);
    const accepted = Array.from({ length: 50 }, () => ask(writer, start(place)));
    let answered = 0;
    for (const one of accepted) one.then(() => answered++);
    const closing = writer.close();
    const refused = await ask(writer, start(place));
    await closing;
    expect(answered).toBe(50); // before it says that it has stopped
    expect(codesOf(await Promise.all(accepted))).toEqual(accepted.map(() => 'accepted'));
    expect(codesOf([refused])).toEqual(['closing']);
  });
});

test('replicas whose batches want the same partitions in any order never wait for each other in a circle', async () => {
  const places = Array.from({ length: 4 }, (_, partition) => newPlace(ledger.partitions, partition));
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 1],
  ];
  const told = await Promise.all(
    orders.map(async (order) => {
      const writer = ledger.writer({ lanes: 1, onFault });
      const rounds: Told[] = [];
      for (let round = 0; round < 100; round += 1)
        rounds.push(
          ...(await submitAll(
            writer,
            order.map((partition) => start(places[partition]!)),
          )),
        );
      return rounds;
    }),
  );
  expect(new Set(codesOf(told.flat()))).toEqual(new Set(['accepted']));
  expect(faults).toEqual([]);
});
