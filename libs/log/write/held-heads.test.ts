import pg from 'pg';
import { type LedgerWriter, LogError } from '../index.js';
import { ask, type Told, untruths } from '../testing/answers.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import { again, end, keyed, newPlace, sessionOf, start } from '../testing/submissions.js';

// Somebody else holds the head of a partition for as long as he likes: another replica that is paused, or a person.

let ledger: TestLedger;
let holder: pg.Client;
const HELD = 1;

beforeEach(async () => {
  ledger = await openTestLedger();
  holder = new pg.Client({ connectionString: ledger.database.url });
  await holder.connect();
});
afterEach(async () => {
  await holder.end();
  const broken = await brokenPromises(ledger.pool);
  await ledger.close();
  expect(broken).toEqual([]);
});

const hold = async (...partitions: number[]) => {
  await holder.query('begin');
  await holder.query('select from ledger.heads where partition = any($1) for update', [partitions]);
};
const release = () => holder.query('rollback');
const codeOf = ({ answer }: Told) => (answer instanceof LogError ? answer.code : answer.kind);
const placeIn = (partition: number) => newPlace(ledger.partitions, partition);
const others = () => [0, 2, 3].map(placeIn);
const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
};

test.each([1, 2])('of %d lanes the commands of all other partitions are obeyed meanwhile', async (lanes) => {
  const writer = ledger.writer({ lanes, deadlineMs: 5_000 });
  await hold(HELD);
  const waiting = ask(writer, start(placeIn(HELD)));
  let isAnswered = false;
  waiting.finally(() => {
    isAnswered = true;
  });
  for (let round = 0; round < 30; round += 1) {
    const told = await Promise.all(others().map((place) => ask(writer, start(place))));
    expect(told.map(codeOf)).toEqual(['accepted', 'accepted', 'accepted']);
  }
  expect(writer.heldPartitions).toBe(1);
  expect([isAnswered, writer.heldUp]).toEqual([false, false]);
  await release();
  expect(codeOf(await waiting)).toBe('accepted');
  expect(writer.heldPartitions).toBe(0);
});

test('its own commands are refused at their deadline without a trace, and may be sent again', async () => {
  const writer = ledger.writer({ deadlineMs: 600 });
  const [first, place] = [keyed(start(placeIn(HELD)), 'k'), placeIn(HELD)];
  await hold(HELD);
  const asked = [first, start(place), start(place)].map((one) => ask(writer, one));
  const told = await Promise.all(asked);
  expect(told.map(codeOf)).toEqual(['timeout', 'timeout', 'timeout']);
  await release();
  const sentAgain = await ask(writer, again(first));
  expect(sentAgain.answer).toMatchObject({ kind: 'accepted', outcome: 'started' });
  expect(await untruths([...told, sentAgain], ledger.pool)).toEqual([]);
});

test('they fill only a part of the queue, and the others find room', async () => {
  const writer = ledger.writer({ maxQueue: 80, deadlineMs: 5_000 });
  await hold(HELD);
  const place = placeIn(HELD);
  const first = ask(writer, start(place));
  await until(() => writer.heldPartitions === 1);
  const more = Array.from({ length: 100 }, () => ask(writer, start(place)));
  const free = await Promise.all(
    Array.from({ length: 60 }, (_, each) => ask(writer, start(placeIn(each % 2 ? 3 : 2)))),
  );
  expect(new Set(free.map(codeOf))).toEqual(new Set(['accepted']));
  await release();
  const codes = (await Promise.all([first, ...more])).map(codeOf);
  expect(codes).toEqual([...Array(10).fill('accepted'), ...Array(91).fill('overloaded')]);
});

test('the order of arrival stays, while heads are taken and given back at random', async () => {
  const replicas = [ledger.writer({ deadlineMs: 20_000 }), ledger.writer({ deadlineMs: 20_000, lanes: 1 })];
  // Each replica's callers write to scopes of their own: the order between replicas is nobody's.
  const lines = replicas.map((writer) =>
    [0, 1, 2, 3].map((partition) => ({ writer, place: placeIn(partition) })),
  );
  const answers = lines.flat().map((line) => ({ ...line, told: [] as Promise<Told>[] }));
  for (let round = 0; round < 40; round += 1) {
    if (round % 10 === 0) await hold(round % 4, (round / 10) % 4);
    for (const { writer, place, told } of answers) {
      for (let count = 0; count < (round * 7) % 5; count += 1) told.push(ask(writer, start(place)));
    }
    await new Promise((resolve) => setTimeout(resolve, round % 10 === 5 ? 260 : 5));
    if (round % 10 === 9) await release();
  }
  for (const { told } of answers) {
    const all = await Promise.all(told);
    const epochs = all.map(({ answer }) =>
      answer instanceof LogError ? answer.code : sessionOf(answer).epoch,
    );
    expect(epochs).toEqual(epochs.map((_, index) => index + 1));
  }
});

test('two replicas whose callers want everything at once share the heads, and nobody is refused', async () => {
  const replicas: LedgerWriter[] = [ledger.writer(), ledger.writer()];
  const told = await Promise.all(
    Array.from({ length: 64 }, async (_, caller) => {
      const codes: string[] = [];
      const place = placeIn(caller % 4);
      for (let turn = 0; turn < 20; turn += 1)
        codes.push(codeOf(await ask(replicas[caller % 2]!, start(place))));
      return codes;
    }),
  );
  expect(new Set(told.flat())).toEqual(new Set(['accepted']));
});

test('a handle of an idle scope there is not waited for: who wants it is refused, its neighbours are obeyed', async () => {
  const { bindIdle, take } = handleOfAnIdleScope();
  const writer = ledger.writer({ deadlineMs: 5_000 });
  await bindIdle(writer);
  await hold(HELD);
  const told = await Promise.all([
    ask(writer, take()),
    ...others().map((place) => ask(writer, start(place))),
  ]);
  expect(told.map(codeOf)).toEqual(['timeout', 'accepted', 'accepted', 'accepted']);
  await release();
  expect(codeOf(await ask(writer, take()))).toBe('accepted');
});

/** A handle that binds to a scope in the held partition which has no session, and a start elsewhere that takes it. */
function handleOfAnIdleScope() {
  const handle = { kind: 'transport', hash: 'h'.repeat(43), binds: 'scope' as const };
  const idle = placeIn(HELD);
  return {
    async bindIdle(writer: LedgerWriter) {
      const session = sessionOf(await writer.submit(start(idle, { handles: [handle] })));
      await writer.submit(end(session));
    },
    take: () => start(placeIn(2), { handles: [handle] }),
  };
}
