import type { Submission } from '#api';
import { type LedgerWriter, rotateReceipts } from '../index.js';
import { openTestLedger, type TestLedger } from '../testing/ledger.js';
import { brokenPromises } from '../testing/promises.js';
import {
  again,
  debug,
  dev,
  end,
  forSession,
  keyed,
  newPlace,
  placeOf,
  rotate,
  sessionOf,
  start,
} from '../testing/submissions.js';

let ledger: TestLedger;
let writer: LedgerWriter;

beforeAll(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
});
afterEach(async () => expect(await brokenPromises(ledger.pool)).toEqual([]));
afterAll(() => ledger.close());

const eventsOf = async ({ scopeKey }: { scopeKey: string }): Promise<number> => {
  const { rows } = await ledger.pool.query('select count(*) from ledger.events where scope_key = $1', [
    scopeKey,
  ]);
  return rows[0].count;
};

describe('the same key with the same body', () => {
  test('gets the same answer, with what is current since, says so, and makes no event', async () => {
    const place = newPlace(ledger.partitions);
    const first = await writer.submit(keyed(start(place), 'k'));
    const current = sessionOf(await writer.submit(start(place, { owner: debug }))); // has superseded it meanwhile
    const repeated = await writer.submit(keyed(start(place), 'k'));
    expect(repeated).toEqual({ ...first, current, replayed: true });
    expect(await eventsOf(place)).toBe(3);
  });

  test('within one batch', async () => {
    const place = newPlace(ledger.partitions);
    const sent = keyed(start(place), 'k');
    const [first, ...others] = await Promise.all(
      [sent, again(sent), again(sent)].map((one) => writer.submit(one)),
    );
    expect(others).toEqual([
      { ...first, replayed: true },
      { ...first, replayed: true },
    ]);
    expect(await eventsOf(place)).toBe(1);
  });

  test('after a restart, and from another replica', async () => {
    const place = newPlace(ledger.partitions);
    const stopped = ledger.writer();
    const sent = keyed(start(place), 'k');
    const first = await stopped.submit({ ...sent });
    await stopped.close();
    expect(await ledger.writer().submit(again(sent))).toEqual({ ...first, replayed: true });
    expect(await writer.submit(again(sent))).toEqual({ ...first, replayed: true });
  });

  test('from many replicas at once: one obeys, all others repeat its answer', async () => {
    const place = newPlace(ledger.partitions);
    const sent = keyed(start(place), 'k');
    const replicas = [writer, ledger.writer(), ledger.writer()];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => replicas[index % 3]!.submit(again(sent))),
    );
    expect(answers.filter((answer) => !('replayed' in answer))).toHaveLength(1);
    expect(new Set(answers.map((answer) => sessionOf(answer).sessionId)).size).toBe(1);
    expect(await eventsOf(place)).toBe(1);
  });

  test('repeats whatever a session went through', async () => {
    const place = newPlace(ledger.partitions);
    const steps: [string, (now: ReturnType<typeof sessionOf>) => Submission][] = [
      ['activated', (session) => forSession(session, { type: 'ActivateSession' })],
      ['rotated', (session) => rotate(session)],
      ['released', (session) => forSession(session, { type: 'ReleaseOwnership' })],
      ['claimed', (session) => forSession(session, { type: 'ClaimOwnership', owner: debug })],
      ['ended', (session) => end(session)],
    ];
    let session = sessionOf(await writer.submit(start(place, { phase: 'starting' })));
    for (const [outcome, command] of steps) {
      const sent = keyed(command(session), outcome);
      const answer = await writer.submit({ ...sent });
      expect(answer).toMatchObject({ kind: 'accepted', outcome });
      expect(await writer.submit(again(sent))).toEqual({ ...answer, replayed: true });
      session = sessionOf(answer);
    }
  });

  test('repeats a start that claimed a released session', async () => {
    const place = newPlace(ledger.partitions);
    const session = sessionOf(await writer.submit(start(place)));
    await writer.submit(forSession(session, { type: 'ReleaseOwnership' }));
    const sent = keyed(start(place, { owner: debug, onConflict: 'join' }), 'k');
    const answer = await writer.submit({ ...sent });
    expect(answer).toMatchObject({ outcome: 'claimed', session: { owner: debug } });
    expect(await writer.submit(again(sent))).toEqual({ ...answer, replayed: true });
  });
});

describe('the same key', () => {
  test('with another body is refused, in one batch and later', async () => {
    const place = newPlace(ledger.partitions);
    const [, inBatch] = await Promise.all([
      writer.submit(keyed(start(place), 'k', 'one body')),
      writer.submit(keyed(start(place), 'k', 'another body')),
    ]);
    const later = await writer.submit(keyed(start(place), 'k', 'another body'));
    expect([inBatch, later]).toEqual([{ kind: 'key-reused' }, { kind: 'key-reused' }]);
    expect(await eventsOf(place)).toBe(1);
  });

  test('of another tenant, principal or scope is another key', async () => {
    const place = newPlace(ledger.partitions);
    const places = [
      place,
      placeOf(ledger.partitions, place.scope.userId, { tenant: 'other' }),
      placeOf(ledger.partitions, place.scope.userId, { projectId: 'another' }),
    ];
    const sent = [...places.map((one) => start(one)), start(place, { principal: 'two' })];
    const answers = await Promise.all(sent.map((one) => writer.submit(keyed(one, 'k'))));
    expect(answers).toMatchObject(sent.map(() => ({ kind: 'accepted', outcome: 'started' })));
    expect(answers.some((answer) => 'replayed' in answer)).toBe(false);
  });

  test('of a refused command is still free', async () => {
    const place = newPlace(ledger.partitions);
    const session = sessionOf(await writer.submit(start(place)));
    const refused = await writer.submit(keyed(start(place, { onConflict: 'reject' }), 'k'));
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'session-active' } });
    await writer.submit(end(session));
    const obeyed = await writer.submit(keyed(start(place, { onConflict: 'reject' }), 'k'));
    expect(obeyed).toMatchObject({ kind: 'accepted', outcome: 'started' });
    expect(obeyed).not.toHaveProperty('replayed');
  });
});

describe('the time partitions of receipts', () => {
  const partitions = async (): Promise<string[]> => {
    const { rows } = await ledger.pool.query(
      `select 'ledger.' || relid::regclass as name from pg_partition_tree('ledger.receipts')
        where isleaf`,
    );
    return rows.map((row) => row.name);
  };
  const dayOf = async (offset: number): Promise<string> => {
    const { rows } = await ledger.pool.query(
      `select to_char((now() at time zone 'UTC')::date + $1::int, 'YYYYMMDD') as day`,
      [offset],
    );
    return `ledger.receipts_${rows[0].day}`;
  };
  const makePartition = async (offset: number) => {
    const name = await dayOf(offset);
    const day = name.slice(-8);
    await ledger.pool.query(
      `create table ${name} partition of ledger.receipts
         for values from ('${day} 00:00+00') to ('${day} 24:00+00')`,
    );
    return name;
  };

  test('are made for today and two days ahead, and receipts go into them', async () => {
    await rotateReceipts(ledger.servicePool(1));
    expect(await partitions()).toEqual(
      expect.arrayContaining([await dayOf(0), await dayOf(1), await dayOf(2)]),
    );
    await writer.submit(keyed(start(newPlace(ledger.partitions)), 'k'));
    const { rows } = await ledger.pool.query('select count(*) from ledger.receipts_default');
    expect(rows[0].count).toBe(0);
  });

  test('are dropped when their last receipt is over 48 hours old, and not before', async () => {
    const [old, kept] = [await makePartition(-3), await makePartition(-2)];
    await rotateReceipts(ledger.servicePool(1));
    expect(await partitions()).not.toContain(old);
    expect(await partitions()).toContain(kept);
  });

  test('may be rotated by all replicas at once, while commands go on', async () => {
    await ledger.pool.query(`drop table ${await dayOf(2)}`);
    const pool = ledger.servicePool(8);
    const place = newPlace(ledger.partitions);
    const load = Promise.all(
      Array.from({ length: 300 }, (_, index) => writer.submit(keyed(start(place), `k${index}`))),
    );
    await Promise.all(Array.from({ length: 8 }, () => rotateReceipts(pool)));
    await load;
    expect(await partitions()).toContain(await dayOf(2));
  });

  test('are made although receipts of that day came before, and old ones among those are dropped', async () => {
    const today = await dayOf(0);
    await ledger.pool.query(`drop table ${today}`);
    const sent = keyed(start(newPlace(ledger.partitions), { owner: dev }), 'early');
    const first = await writer.submit({ ...sent });
    await ledger.pool.query(
      `insert into ledger.receipts (sequence, at, key, fingerprint, scope_id, partition)
       select sequence, at - interval '4 days', gen_random_uuid(), fingerprint, scope_id, partition
         from ledger.receipts_default`,
    );
    await rotateReceipts(ledger.servicePool(1));
    expect(await writer.submit(again(sent))).toEqual({ ...first, replayed: true });
    const { rows } = await ledger.pool.query(
      `select count(*) from ledger.receipts where at < now() - interval '49 hours'`,
    );
    expect(rows[0].count).toBe(0);
  });
});
