import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, JobOrder, Submission } from '#api';
import { type LedgerWriter, LogError, UserScopes } from '#log';
import type { Owner, Session } from '#session';
import { openTestLedger, type TestLedger } from '../log/testing/ledger.js';
import { brokenPromises } from '../log/testing/promises.js';
import { readLog } from '../log/testing/stored-log.js';
import {
  dev,
  end,
  forSession,
  newPlace,
  type Place,
  placeOf,
  sessionOf,
  start,
} from '../log/testing/submissions.js';
import { BulkWorker } from './bulk-worker.js';
import { type Job, Jobs, MOST_OPEN_JOBS } from './jobs.js';

let ledger: TestLedger;
let writer: LedgerWriter;
let jobs: Jobs;
const workers: BulkWorker[] = [];
const faults: unknown[] = [];
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
  jobs = new Jobs(ledger.servicePool(2));
  faults.length = 0;
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((one) => one.close()));
  expect(await brokenPromises(ledger.pool)).toEqual([]);
  await ledger.close();
});

/** A worker of one more replica, whose commands go through `submit` when given. */
function work(
  submit: (submission: Submission) => Promise<Answer> = (one) => writer.submit(one),
  itsJobs?: Jobs,
): BulkWorker {
  const pool = ledger.servicePool(2);
  const worker = new BulkWorker({
    pool,
    jobs: itsJobs ?? new Jobs(pool),
    scopes: new UserScopes(pool),
    partitions: ledger.partitions,
    everyMs: 20,
    submit,
    onFault: (error) => void faults.push(error),
  });
  workers.push(worker);
  worker.start();
  return worker;
}

const order = (more: Partial<JobOrder> = {}) =>
  jobs.create({
    tenant: 'acme',
    principal: 'operator',
    select: { environment: 'cloud-dead' },
    action: 'end',
    reason: 'cloud is gone',
    ...more,
  }) as Promise<Job>;

async function finished({ id }: Job, withinMs = 20_000): Promise<Job> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const job = await jobs.read(id, 'acme');
    if (job?.finishedAt) return job;
    await sleep(20);
  }
  throw new Error(`the job did not finish: ${JSON.stringify(await jobs.read(id, 'acme'))}`);
}

const dead: Owner = { environment: 'cloud-dead', instance: 'a' };
const begin = async (owner: Owner, place: Place = newPlace(ledger.partitions)) =>
  sessionOf(await writer.submit(start(place, { owner })));
const beginMany = (count: number, owner: Owner): Promise<Session[]> =>
  Promise.all(Array.from({ length: count }, () => begin(owner)));
/** What became of the sessions, by their ids. */
const fates = async () =>
  new Map(
    (await readLog(ledger.pool)).flatMap(({ event }) =>
      'session' in event ? [[event.session.sessionId, event] as const] : [],
    ),
  );
const counts = (changed: number, skipped = 0, failed = 0) => ({
  examined: changed + skipped + failed,
  changed,
  skipped,
  failed,
});

test('ends what an environment owns, each once and forced by the operator, and nothing else', async () => {
  const [gone, spared] = [await beginMany(1_200, dead), await beginMany(50, dev)];
  const over = await begin(dead);
  await writer.submit(end(over));
  const other = placeOf(ledger.partitions, 'other', { tenant: 'other' });
  const foreign = sessionOf(await writer.submit(start(other, { owner: dead })));
  const job = await order();
  work();
  const { counts: counted } = await finished(job);
  expect(counted).toEqual(counts(1_200));
  const became = await fates();
  const origin = { environment: 'bulk', instance: job.id };
  for (const { sessionId } of gone) {
    expect(became.get(sessionId)).toMatchObject({
      type: 'SessionEnded',
      origin,
      forced: true,
      operator: 'operator',
      session: { endReason: 'cloud is gone', epoch: 2 },
    });
  }
  for (const { sessionId } of [...spared, foreign]) {
    expect(became.get(sessionId)).toMatchObject({ type: 'SessionStarted' });
  }
});

test('of one instance leaves the other ones alone', async () => {
  const [gone, spared] = [await begin(dead), await begin({ environment: 'cloud-dead', instance: 'b' })];
  await begin({ environment: 'cloud-dead' });
  const job = await order({ select: { environment: 'cloud-dead', instance: 'a' } });
  work();
  expect((await finished(job)).counts).toEqual(counts(1));
  const became = await fates();
  expect(became.get(gone.sessionId)?.type).toBe('SessionEnded');
  expect(became.get(spared.sessionId)?.type).toBe('SessionStarted');
});

test('of a user goes through all projects and ends what is released, too', async () => {
  const places = Array.from({ length: 30 }, (_, index) =>
    placeOf(ledger.partitions, 'leaving', { projectId: `p${index}` }),
  );
  const [first] = await Promise.all(places.map((place) => begin(dead, place)));
  await writer.submit(forSession(first as Session, { type: 'ReleaseOwnership' }));
  const spared = await begin(dead, placeOf(ledger.partitions, 'leaving2'));
  const job = await order({ select: { userId: 'leaving' } });
  work();
  expect((await finished(job)).counts).toEqual(counts(30));
  expect((await fates()).get(spared.sessionId)?.type).toBe('SessionStarted');
});

test('releases, and what is released already is skipped', async () => {
  const session = await begin(dead);
  const job = await order({ action: 'release' });
  work();
  expect((await finished(job)).counts).toEqual(counts(1));
  expect((await fates()).get(session.sessionId)).toMatchObject({
    type: 'OwnershipReleased',
    forced: true,
    operator: 'operator',
    session: { status: 'released', previousOwner: dead },
  });
  const { scope } = session;
  const again = await order({ action: 'release', select: { userId: scope.userId } });
  expect((await finished(again)).counts).toEqual(counts(0, 1));
});

test('that matches nothing is finished, with counts of zero', async () => {
  await beginMany(20, dev);
  const job = await order();
  work();
  expect(await finished(job)).toMatchObject({ counts: counts(0), page: [] });
});

describe('a session that changes between reading and ending', () => {
  /** Does something to the session before the command of the job arrives. */
  const meanwhile = (change: () => Promise<unknown>) => {
    let changed: Promise<unknown> | undefined;
    return async (submission: Submission) => {
      changed ??= change();
      await changed;
      return writer.submit(submission);
    };
  };
  const claim = (session: Session, owner: Owner) =>
    writer.submit(forSession(session, { type: 'ClaimOwnership', owner, force: true, operate: true }));

  test('to an owner who is not meant is left to it', async () => {
    const session = await begin(dead);
    const job = await order();
    work(meanwhile(() => claim(session, dev)));
    expect((await finished(job)).counts).toEqual(counts(0, 1));
    expect((await readLog(ledger.pool)).at(-1)).toMatchObject({ type: 'StopIgnored' });
  });

  test('to another owner who is meant, or into a new session of the same, is ended all the same', async () => {
    const place = newPlace(ledger.partitions);
    const [one] = [await begin(dead), await begin(dead, place)];
    const job = await order();
    work(
      meanwhile(() =>
        Promise.all([claim(one, { ...dead, instance: 'c' }), writer.submit(start(place, { owner: dead }))]),
      ),
    );
    expect((await finished(job)).counts).toEqual(counts(2));
    expect([...(await fates()).values()].map(({ type }) => type).sort()).toEqual([
      'SessionEnded',
      'SessionEnded',
      'SessionSuperseded',
    ]);
  });
});

describe('a worker that dies', () => {
  test.each([
    ['end', 'SessionEnded'],
    ['release', 'OwnershipReleased'],
  ] as const)(
    'in the middle of a page (%s) leaves it to the next one, which counts each session once',
    async (action, type) => {
      const places = Array.from({ length: 700 }, () => newPlace(ledger.partitions, 0));
      await Promise.all(places.map((place) => begin(dead, place)));
      const job = await order({ action });
      let sent = 0;
      // Dead to the world: it neither sends nor writes down anything any more.
      work((submission) => (++sent > 300 ? new Promise(() => {}) : writer.submit(submission)));
      while (sent <= 300) await sleep(10);
      workers.pop(); // it cannot be closed
      expect((await jobs.read(job.id, 'acme'))?.counts).toEqual(counts(0));
      const began = performance.now();
      work();
      expect((await finished(job)).counts).toEqual(counts(700));
      expect(performance.now() - began).toBeLessThan(8_000);
      const log = await readLog(ledger.pool);
      expect(log.filter((event) => event.type === type)).toHaveLength(700);
      expect(log).toHaveLength(1_400);
    },
  );

  test('is not one that is slow: it keeps its job as long as it goes on', async () => {
    const places = Array.from({ length: 200 }, () => newPlace(ledger.partitions, 0));
    await Promise.all(places.map((place) => begin(dead, place)));
    const job = await order();
    const slowly = async (submission: Submission) => {
      await sleep(2_000);
      return writer.submit(submission);
    };
    work(slowly); // four slices: over six seconds, longer than one lease
    while ((await jobs.read(job.id, 'acme'))?.page.length === 0) await sleep(10);
    work(() => Promise.reject(new Error('it was taken over')));
    expect((await finished(job)).counts).toEqual(counts(200));
    expect(faults).toEqual([]);
  });

  test('and comes back writes nothing over what its successor has written', async () => {
    await begin(dead);
    const { id } = await order();
    const late = (await jobs.take()) as Job;
    expect(late.id).toBe(id);
    expect(await jobs.take()).toBeUndefined(); // nobody else gets it meanwhile
    await ledger.pool.query("update ledger.jobs set leased_until = '-infinity'");
    work();
    const done = await finished(late);
    expect(await jobs.keep(late)).toBe(false);
    expect(await jobs.savePage(late, [{ sessionId: id, epoch: 1 }], late.after)).toBe(false);
    expect(await jobs.saveStep(late, counts(9), true)).toBe(false);
    expect(await jobs.read(id, 'acme')).toEqual(done);
  });
});

describe('a worker whose job was taken over while it was silent', () => {
  const takeOver = async () => {
    await ledger.pool.query("update ledger.jobs set leased_until = '-infinity'");
    expect(await jobs.take()).toBeDefined();
  };
  const silence = () => sleep(300); // it has time to do what it should not

  test('sends nothing of the page that it cannot write down', async () => {
    await begin(dead);
    const { id } = await order();
    const pool = ledger.servicePool(2);
    const slow = new Jobs(pool);
    const asked = new Promise<void>((resolve) => {
      slow.savePage = async (...page) => {
        await takeOver();
        resolve();
        return Jobs.prototype.savePage.apply(slow, page);
      };
    });
    let sent = 0;
    work(async (submission) => {
      sent += 1;
      return writer.submit(submission);
    }, slow);
    await asked;
    await silence();
    expect([sent, await jobs.read(id, 'acme')]).toMatchObject([0, { page: [], counts: counts(0) }]);
  });

  test('stops after what it has sent already', async () => {
    const places = Array.from({ length: 120 }, () => newPlace(ledger.partitions, 0));
    await Promise.all(places.map((place) => begin(dead, place)));
    await order();
    let sent = 0;
    let taken: Promise<void> | undefined;
    work(async (submission) => {
      sent += 1;
      taken ??= takeOver();
      await taken;
      return writer.submit(submission);
    });
    while (!taken) await sleep(10);
    await silence();
    expect(sent).toBe(50); // of three slices one
  });
});

test('a session that changes whenever its command comes is tried three times, and skipped', async () => {
  const session = await begin(dead);
  const job = await order();
  let sent = 0;
  work(async () => {
    if (++sent > 10) throw new LogError('rejected', 'it goes on for ever');
    const current = { ...session, epoch: session.epoch + sent };
    return {
      kind: 'refused',
      refusal: { code: 'stale-epoch', current },
      position: { partition: 0, sequence: 1 },
    };
  });
  expect([(await finished(job)).counts, sent]).toEqual([counts(0, 1), 3]);
});

test('of a user or an environment with more than fits in a page, all are ended', async () => {
  const many = Array.from({ length: 1_001 }, (_, index) =>
    placeOf(ledger.partitions, 'leaving', { projectId: `p${index}` }),
  );
  const alone = Array.from({ length: 501 }, () => newPlace(ledger.partitions, 0));
  await Promise.all([...many.map((place) => begin(dev, place)), ...alone.map((place) => begin(dead, place))]);
  const both = [await order({ select: { userId: 'leaving' } }), await order()];
  work();
  const done = await Promise.all(both.map((job) => finished(job)));
  expect(done.map((job) => job.counts)).toEqual([counts(1_001), counts(501)]);
});

test('two replicas share jobs, and end each session once', async () => {
  await beginMany(1_500, dead);
  await beginMany(600, dev);
  const both = [await order(), await order({ select: dev })];
  const other = ledger.writer();
  work();
  work((submission) => other.submit(submission));
  const done = await Promise.all(both.map((job) => finished(job)));
  expect(done.map((job) => job.counts)).toEqual([counts(1_500), counts(600)]);
  const types = (await readLog(ledger.pool)).map(({ type }) => type);
  expect(types.filter((type) => type === 'SessionEnded')).toHaveLength(2_100);
  expect(types.filter((type) => type === 'StopIgnored')).toEqual([]);
});

test('when the log cannot be used the step is done again; a command that it refuses is counted as failed', async () => {
  const sessions = await beginMany(3, dead);
  const job = await order();
  let isAway = true;
  work(async (submission) => {
    if (isAway) throw new LogError('unavailable', 'away');
    if ('sessionId' in submission.command && submission.command.sessionId === sessions[0]?.sessionId)
      throw new LogError('rejected', 'a bug');
    return writer.submit(submission);
  });
  while (faults.length === 0) await sleep(10);
  isAway = false;
  expect((await finished(job)).counts).toEqual(counts(2, 0, 1));
});

describe('jobs', () => {
  const receipt = { key: '0'.repeat(32), fingerprint: '1'.repeat(32) };
  const theOrder: JobOrder = {
    tenant: 'acme',
    principal: 'operator',
    select: { userId: 'ada' },
    action: 'end',
    reason: 'r',
  };

  test('of the same key are one, also when they come at once; the key for something else is not', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => jobs.create(theOrder, receipt)));
    expect(new Set(made.map((job) => job?.id)).size).toBe(1);
    expect(await jobs.create(theOrder, { ...receipt, fingerprint: '2'.repeat(32) })).toBeUndefined();
  });

  test('are bounded for each tenant; the same key is answered even so', async () => {
    const first = await jobs.create(theOrder, receipt);
    const more = Array.from({ length: MOST_OPEN_JOBS + 4 }, () => jobs.create(theOrder));
    const settled = await Promise.allSettled(more);
    const refused = settled.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(5);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'overloaded' });
    expect(await jobs.create(theOrder, receipt)).toEqual(first);
    expect(await jobs.create({ ...theOrder, tenant: 'other' })).toMatchObject({ tenant: 'other' });
  });

  test('are seen by their tenant only, and forgotten 30 days after they were finished', async () => {
    const [old, recent, open] = [await order(), await order(), await order()];
    expect(await jobs.read(old.id, 'other')).toBeUndefined();
    await ledger.pool.query(
      `update ledger.jobs set finished_at = clock_timestamp() - case id when $1 then interval '31 days' else interval '29 days' end
        where id in ($1, $2)`,
      [old.id, recent.id],
    );
    await jobs.forget();
    const left = await Promise.all([old, recent, open].map(({ id }) => jobs.read(id, 'acme')));
    expect(left.map((job) => job?.id)).toEqual([undefined, recent.id, open.id]);
  });

  test('are somebody’s for longer with each word from him', async () => {
    await order();
    const job = (await jobs.take()) as Job;
    const words = [() => jobs.savePage(job, [], job.after), () => jobs.keep(job)];
    for (const word of words) {
      await ledger.pool.query("update ledger.jobs set leased_until = '-infinity'");
      expect(await word()).toBe(true);
      expect(await jobs.take()).toBeUndefined();
    }
  });

  test('that another one is just taking are passed by, not waited for', async () => {
    await order();
    const holder = await ledger.pool.connect();
    await holder.query('begin');
    await holder.query(`update ledger.jobs set leased_until = clock_timestamp() + interval '1 minute'`);
    const taken = jobs.take();
    const isPassedBy = await Promise.race([taken.then(() => true), sleep(2_000, false)]);
    await holder.query('commit');
    holder.release();
    expect([isPassedBy, await taken]).toEqual([true, undefined]);
  });

  test('take turns', async () => {
    const made = [await order(), await order(), await order()];
    const taken: (string | undefined)[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const job = (await jobs.take()) as Job;
      taken.push(job.id);
      await jobs.saveStep(job, counts(0), false);
    }
    const ids = made.map(({ id }) => id);
    expect(taken).toEqual([...ids, ...ids]);
  });
});
