import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { leafHash } from '#audit';
import { History, type LedgerWriter, listArchives } from '#log';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { sendAtRandom } from '../log/testing/random-callers.js';
import { readLog, type StoredEvent } from '../log/testing/stored-log.js';
import {
  again,
  debug,
  end,
  keyed,
  newPlace,
  type Place,
  rotate,
  sessionOf,
  start,
} from '../log/testing/submissions.js';
import type { ArchiveProgress } from './archive.js';
import { readArchive } from './read-archive.js';
import { replayFrom } from './replay.js';
import { archiveAll, archiveDirectory, filesIn, fill, placesIn } from './testing/archives.js';
import { verifyLog } from './verify-log.js';

let ledger: TestLedger;
let writer: LedgerWriter;
let places: Place[];
let before: StoredEvent[];
let directory: Awaited<ReturnType<typeof archiveDirectory>>;
beforeEach(async () => {
  ledger = await openTestLedger(2);
  writer = ledger.writer();
  places = placesIn(ledger);
  await fill(writer, places, 100);
  before = await readLog(ledger.pool);
  directory = await archiveDirectory();
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool, directory.path)).toEqual([]);
  await ledger.close();
  await directory.remove();
});

const sequencesOf = (events: { partition: number; sequence: number }[], partition: number) =>
  events.filter((one) => one.partition === partition).map(({ sequence }) => sequence);
const ascending = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('an archive', () => {
  test('holds all but the newest event of each partition, and the table only that', async () => {
    const summary = await archiveAll(ledger, directory.path);
    expect(summary).toMatchObject({ events: before.length - 2, deleted: before.length - 2 });
    expect(await readLog(ledger.pool)).toEqual(
      [0, 1].map((one) => before.findLast((event) => event.partition === one)),
    );
    expect(summary.files).toBe((await filesIn(directory.path)).length);
  });

  test('holds the very bytes, their leaf hashes and positions, in lines of JSON that any tool reads', async () => {
    await archiveAll(ledger, directory.path);
    const read: { partition: number; sequence: number; bytes: Buffer }[] = [];
    for (const file of await filesIn(directory.path)) {
      const lines = gunzipSync(await readFile(join(directory.path, file)))
        .toString()
        .trimEnd()
        .split('\n');
      const [header, ...events] = lines.map((line) => JSON.parse(line));
      const trailer = events.pop();
      expect(file).toBe(
        `${header.ledger.slice(0, 8)}-000${header.partition}-${String(header.first).padStart(16, '0')}-` +
          `${String(header.last).padStart(16, '0')}.ndjson.gz`,
      );
      expect(trailer).toEqual({ events: events.length, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(events.map(({ sequence }) => sequence)).toEqual(ascending(header.first, header.last));
      for await (const event of readArchive(join(directory.path, file))) {
        expect(event.leaf).toEqual(leafHash(event.bytes));
        expect(events.shift().event).toEqual(JSON.parse(event.bytes.toString()));
        read.push(event);
      }
    }
    const archived = before
      .slice()
      .filter(({ sequence, partition }) => sequence < sequencesOf(before, partition).length);
    expect(read).toMatchObject(
      archived.map(({ partition, sequence, epoch, bytes }) => ({ partition, sequence, epoch, bytes })),
    );
  });

  test('is listed with what it spans, and takes nothing when there is nothing old enough', async () => {
    const { files } = await archiveAll(ledger, directory.path);
    const listed = [...(await listArchives(ledger.pool, 0)), ...(await listArchives(ledger.pool, 1))];
    expect(listed.map(({ file }) => file)).toEqual(await filesIn(directory.path));
    const timeOf = (partition: number, sequence: number) =>
      new Date(before.find((one) => one.partition === partition && one.sequence === sequence)!.at);
    for (const { partition, first, last, firstAt, lastAt } of listed) {
      expect([firstAt, lastAt]).toEqual([timeOf(partition, first), timeOf(partition, last)]);
    }
    expect(await archiveAll(ledger, directory.path)).toEqual({
      files: 0,
      events: 0,
      eventBytes: 0,
      fileBytes: 0,
      deleted: 0,
    });
    expect(await filesIn(directory.path)).toHaveLength(files);
  });

  test('goes on where the last one ended, and the history is whole from both', async () => {
    for (let round = 0; round < 3; round++) {
      await archiveAll(ledger, directory.path);
      expect(await brokenPromises(ledger.pool, directory.path)).toEqual([]);
      await fill(writer, places, 30);
    }
    for (const partition of [0, 1]) {
      const replayed: number[] = [];
      for await (const { sequence } of replayFrom(directory.path, ledger.pool, partition))
        replayed.push(sequence);
      const { rows } = await ledger.pool.query('select sequence from ledger.heads where partition = $1', [
        partition,
      ]);
      expect(replayed).toEqual(ascending(1, rows[0].sequence));
    }
  });

  test('says how far it is', async () => {
    const told: ArchiveProgress[] = [];
    await archiveAll(ledger, directory.path, { onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toMatchObject({
      stage: 'deleted',
      read: before.length - 2,
      toRead: before.length - 2,
      deleted: before.length - 2,
    });
    expect(told.slice(0, 6).map(({ stage }) => stage)).toEqual([
      'reading',
      'written',
      'verified',
      'stored',
      'recorded',
      'deleted',
    ]);
    expect(told.map(({ read }) => read)).toEqual(told.map(({ read }) => read).sort((a, b) => a - b));
  });

  test('takes what is older than asked for, by the time of the events, and no more', async () => {
    const { rows } = await ledger.pool.query('select clock_timestamp() as at');
    const cut = rows[0].at.getTime();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await fill(writer, places, 50);
    const age = await ledger.pool.query('select extract(epoch from clock_timestamp() - $1)::float as age', [
      rows[0].at,
    ]);
    await archiveAll(ledger, directory.path, { olderThan: age.rows[0].age - 0.15 });
    const kept = await readLog(ledger.pool);
    expect(Math.min(...kept.map(({ at }) => Date.parse(at)))).toBeGreaterThan(cut);
    expect(kept.length).toBe((await readWhole()).length - before.length);
  });

  const readWhole = async () => {
    const whole = [];
    for (const partition of [0, 1]) {
      for await (const event of replayFrom(directory.path, ledger.pool, partition)) whole.push(event);
    }
    return whole;
  };
});

test('random histories of everything that callers can send are whole before, between and after', async () => {
  for (const seed of [3, 4]) {
    await sendAtRandom({ writers: [writer, ledger.writer()], places, callers: 8, turns: 40, seed });
    await archiveAll(ledger, directory.path);
    expect(await brokenPromises(ledger.pool, directory.path)).toEqual([]);
  }
  const types = new Set<string>();
  for await (const { type } of replayFrom(directory.path, ledger.pool, 0)) types.add(type);
  expect(types.size).toBeGreaterThan(8);
});

describe('verifying the whole log', () => {
  const verify = async (archives?: string) => {
    const reports = [];
    for await (const report of verifyLog(ledger.servicePool(1), () => {}, archives)) reports.push(report);
    return reports;
  };

  test('finds the same before and after, and asks for the files', async () => {
    const wanted = await verify();
    await archiveAll(ledger, directory.path);
    expect(await verify(directory.path)).toEqual(wanted);
    await expect(verify()).rejects.toMatchObject({
      code: 'directory',
      message: expect.stringMatching(/^The events of partition 0 up to \d+ are archived/),
    });
    const [file = ''] = await filesIn(directory.path);
    await rename(join(directory.path, file), join(directory.path, 'elsewhere'));
    await expect(verify(directory.path)).rejects.toMatchObject({ code: 'file' });
    await rename(join(directory.path, 'elsewhere'), join(directory.path, file));
  });

  test('goes on while more is archived', async () => {
    const wanted = await verify();
    let verifying: ReturnType<typeof verify> | undefined;
    const onProgress = () => {
      verifying ??= verify(directory.path);
    };
    await archiveAll(ledger, directory.path, { onProgress, limits: { segment: 10, chunk: 3 } });
    expect(await verifying).toEqual(wanted);
  });
});

describe('what is current does not depend on what was archived', () => {
  test('writers, ends, rotations, refusals and reads go on', async () => {
    const [place, other] = places as [Place, Place];
    const session = sessionOf(await writer.submit(start(place)));
    const late = sessionOf(await writer.submit(start(other)));
    await writer.submit(start(other));
    await archiveAll(ledger, directory.path);
    const history = new History(ledger.servicePool(2));
    expect(await history.session(session.sessionId, 'acme')).toMatchObject({ session });
    expect(await history.session(late.sessionId, 'acme')).toMatchObject({ session: { status: 'ended' } });
    const rotated = sessionOf(await writer.submit(rotate(session)));
    expect(rotated).toMatchObject({ parentId: session.sessionId, epoch: session.epoch + 1 });
    expect(await writer.submit(end(late))).toMatchObject({
      kind: 'refused',
      refusal: { code: 'stale-session' },
    });
    expect(await writer.submit(end(rotated))).toMatchObject({ kind: 'accepted', outcome: 'ended' });
    let current = 0;
    for await (const row of history.snapshot()) if ('json' in row) current += 1;
    expect(current).toBe(places.length - 1);
  });

  test('what was refused is still counted and told, without what stands in the event only', async () => {
    const [place] = places as [Place];
    const old = sessionOf(await writer.submit(start(place)));
    await writer.submit(start(place));
    for (let times = 0; times < 3; times++) await writer.submit(end(old));
    await writer.submit(end(old, { origin: debug }));
    const history = new History(ledger.servicePool(1));
    const told = await history.refusals(old.sessionId, 'acme', 10);
    expect(told.map(({ count }) => count)).toEqual([1, 3]);
    await fill(writer, places, 10);
    await archiveAll(ledger, directory.path);
    const left = told.map(({ why, count, position }) => ({ why, count, position, archived: true }));
    expect(await history.refusals(old.sessionId, 'acme', 10)).toEqual(left);
    await writer.submit(end(old));
    expect((await history.refusals(old.sessionId, 'acme', 10)).map(({ count }) => count)).toEqual([1, 4]);
    expect(await history.refusals(old.sessionId, 'acme', 1)).toEqual(left.slice(0, 1));
  });

  test('receipts that came after it answer; one that was archived is forgotten, as after its 48 hours', async () => {
    const [place] = places as [Place];
    const old = keyed(start(place), 'old');
    const first = sessionOf(await writer.submit(old));
    await archiveAll(ledger, directory.path);
    // The newest event of its partition stays, so that one is still answered: make another one newer.
    await fill(writer, places, 10);
    const recent = keyed(start(place), 'recent');
    const answer = await writer.submit(recent);
    await archiveAll(ledger, directory.path, {
      notAfter: async () => (answer as { position: { sequence: number } }).position.sequence - 1,
    });
    expect(await writer.submit(again(recent))).toMatchObject({ replayed: true, session: sessionOf(answer) });
    expect(sessionOf(await writer.submit(again(old))).sessionId).not.toBe(first.sessionId);
  });

  test('other replicas follow the log as before', async () => {
    const tail = await ledger.tail();
    const heads = tail.heads();
    await archiveAll(ledger, directory.path);
    const seen: number[][] = [[], []];
    tail.listen((events) => {
      for (const one of events) seen[one.partition]!.push(one.sequence);
    });
    await fill(writer, places, 40);
    const { rows } = await ledger.pool.query('select sequence from ledger.heads order by partition');
    const wanted = rows.map(({ sequence }, partition) => ascending(heads[partition]! + 1, sequence));
    for (
      const until = Date.now() + 5_000;
      Date.now() < until && seen.flat().length < wanted.flat().length;
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(seen).toEqual(wanted);
  });

  test('while it is being archived, nobody fails and nothing is lost', async () => {
    let isDone = false;
    const archiving = archiveAll(ledger, directory.path, { limits: { segment: 10, chunk: 3 } }).finally(
      () => {
        isDone = true;
      },
    );
    let rounds = 0;
    for (; !isDone; rounds++) await fill(writer, places, 20);
    await archiving;
    expect(rounds).toBeGreaterThan(1);
  });
});

describe('how far', () => {
  const relayed = (confirmed: number, epoch = 1) =>
    ledger.pool.query('update ledger.relays set epoch = $1, confirmed = $2', [epoch, confirmed]);

  test('not without a relay ever, unless that is said', async () => {
    await expect(archiveAll(ledger, directory.path, { withoutRelay: false })).rejects.toMatchObject({
      code: 'not-relayed',
    });
    expect(await filesIn(directory.path)).toEqual([]);
  });

  test('not up to the last event that Kafka has confirmed, with which a relay goes on', async () => {
    await relayed(50);
    await archiveAll(ledger, directory.path, { withoutRelay: false });
    for (const partition of [0, 1]) expect(sequencesOf(await readLog(ledger.pool), partition)[0]).toBe(50);
    await relayed(0);
    await archiveAll(ledger, directory.path);
    for (const partition of [0, 1]) expect(sequencesOf(await readLog(ledger.pool), partition)[0]).toBe(50);
  });

  test('nothing of a partition that no relay has had yet, while others have theirs', async () => {
    await ledger.pool.query('update ledger.relays set epoch = 1, confirmed = 50 where partition = 0');
    await archiveAll(ledger, directory.path, { withoutRelay: false });
    const kept = await readLog(ledger.pool);
    expect([0, 1].map((partition) => sequencesOf(kept, partition)[0])).toEqual([50, 1]);
  });

  test('not beyond what somebody else has still to read', async () => {
    const notAfter = async (partition: number) => [7, undefined][partition];
    await archiveAll(ledger, directory.path, { notAfter });
    const kept = await readLog(ledger.pool);
    expect(sequencesOf(kept, 0)[0]).toBe(8);
    expect(sequencesOf(kept, 1)).toHaveLength(1);
  });

  test('an empty partition and one with a single event have nothing to archive', async () => {
    const fresh = await openTestLedger(2);
    await fresh.writer().submit(start(newPlace(2, 1)));
    expect(await archiveAll(fresh, directory.path)).toMatchObject({ files: 0 });
    expect(await brokenPromises(fresh.pool)).toEqual([]);
    await fresh.close();
  });
});

test('space of what was archived is used again: as many events once more make the table little larger', async () => {
  const bytes = async () => {
    await ledger.pool.query('vacuum ledger.events'); // as autovacuum does, in its own time
    const { rows } = await ledger.pool.query("select pg_table_size('ledger.events') as bytes");
    return Number(rows[0].bytes);
  };
  await fill(writer, places, 5_000);
  const full = await bytes();
  await archiveAll(ledger, directory.path, { limits: { segment: 5_000, chunk: 2_000 } });
  await bytes();
  await fill(writer, places, 5_000);
  expect(await bytes()).toBeLessThan(full * 1.1);
});
