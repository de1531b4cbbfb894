import { jest } from '@jest/globals';
import { HeldLease } from './held-lease.js';
import { MemoryLog } from './testing/memory-log.js';

const LEASE_SECONDS = 3;
const LEASE_MS = LEASE_SECONDS * 1_000;

let log: MemoryLog;
let lines: string[];
const held: HeldLease[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  log = new MemoryLog(1);
  lines = [];
  // The database's clock runs on its own: what this machine's wall clock does is nothing to it.
  const begun = performance.now();
  log.clock = () => 1e12 + performance.now() - begun;
});
afterEach(async () => {
  for (const lease of held.splice(0)) void lease.end(false, 0);
  await jest.runOnlyPendingTimersAsync();
  jest.useRealTimers();
});

async function acquire(): Promise<HeldLease> {
  const at = {
    leases: log,
    holder: 'me',
    leaseSeconds: LEASE_SECONDS,
    log: (_: string, line: string) => lines.push(line),
  };
  const asked = HeldLease.acquire(at, 0);
  await jest.advanceTimersByTimeAsync(log.late.acquire);
  const lease = await asked;
  if (!lease) throw new Error('refused');
  held.push(lease);
  return lease;
}

/** Lets time go by, and at every step compares what the holder believes with what the database would say. */
async function watch(lease: HeldLease, ms: number): Promise<number> {
  let believed = 0;
  for (let passed = 0; passed < ms; passed += 50) {
    await jest.advanceTimersByTimeAsync(50);
    if (!lease.surelyHeld()) continue;
    believed += 50;
    expect(log.holders()).toEqual(['me']);
  }
  return believed;
}

describe('nobody believes to hold a lease that has run out', () => {
  test('when it is renewed in time it lasts, for the holder and for the database', async () => {
    const lease = await acquire();
    expect(await watch(lease, 30_000)).toBe(30_000);
    expect(lines).toEqual([]);
  });

  test('when the answer to the first question comes late, its way counts', async () => {
    log.late.acquire = 2_000;
    const lease = await acquire();
    log.late.confirm = Number.POSITIVE_INFINITY;
    expect(await watch(lease, 5_000)).toBeLessThanOrEqual(LEASE_MS - 2_000);
  });

  test('when the answer is later than the lease lasts, it counts for nothing', async () => {
    log.late.acquire = LEASE_MS + 500;
    const asked = HeldLease.acquire(
      { leases: log, holder: 'me', leaseSeconds: LEASE_SECONDS, log: () => {} },
      0,
    );
    const refused = expect(asked).rejects.toThrow(/no answer about the relay lease within 3000 ms/);
    await jest.advanceTimersByTimeAsync(LEASE_MS + 1);
    await refused;
  });

  test('when renewals are answered late, it is counted from the question', async () => {
    const lease = await acquire();
    log.late.confirm = 950;
    await jest.advanceTimersByTimeAsync(1_200); // one is on its way
    log.confirm = () => new Promise(() => {}); // from here on the database is not reached
    await watch(lease, 6_000);
    expect(lease.surelyHeld()).toBe(false);
    expect(lease.signal.aborted).toBe(true);
  });

  test('when nothing is answered any more, it is given up before the database gives it to another', async () => {
    const lease = await acquire();
    log.confirm = () => new Promise(() => {});
    expect(await watch(lease, 5_000)).toBeLessThan(LEASE_MS);
    expect(lines.join('\n')).toMatch(/not renewed: the database does not answer/);
  });

  test('a fifth of it is left for a batch on its way', async () => {
    const lease = await acquire();
    log.confirm = () => Promise.reject(new Error('away'));
    await jest.advanceTimersByTimeAsync(LEASE_MS * 0.8 - 1);
    expect(lease.surelyHeld()).toBe(true);
    await jest.advanceTimersByTimeAsync(2);
    expect(lease.surelyHeld()).toBe(false);
  });

  test('when the machine has slept, which stops one of its clocks', async () => {
    const lease = await acquire();
    jest.setSystemTime(Date.now() + LEASE_MS);
    expect(lease.surelyHeld()).toBe(false);
  });

  test('when the wall clock is set back', async () => {
    const lease = await acquire();
    log.confirm = () => new Promise(() => {});
    jest.setSystemTime(Date.now() - 3_600_000);
    expect(await watch(lease, 5_000)).toBeLessThan(LEASE_MS);
  });

  test('once lost, it does not come back with a late answer', async () => {
    const lease = await acquire();
    jest.setSystemTime(Date.now() + LEASE_MS);
    expect(lease.surelyHeld()).toBe(false);
    jest.setSystemTime(Date.now() - LEASE_MS);
    expect(lease.surelyHeld()).toBe(false);
  });
});

describe('renewals', () => {
  test('go on after answers that were lost', async () => {
    const lease = await acquire();
    log.late.confirm = Number.POSITIVE_INFINITY;
    await jest.advanceTimersByTimeAsync(1_000);
    log.late.confirm = 0;
    expect(await watch(lease, 10_000)).toBe(10_000);
  });

  test('store what Kafka has, within a second, and not more often than that', async () => {
    const lease = await acquire();
    const confirm = jest.spyOn(log, 'confirm');
    for (let sequence = 1; sequence <= 400; sequence++) {
      lease.reached(sequence);
      await jest.advanceTimersByTimeAsync(10);
      expect(log.confirmed(0)).toBeGreaterThanOrEqual(sequence - 100);
    }
    expect(confirm.mock.calls.length).toBeLessThanOrEqual(14);
    expect(lease.known).toBe(400);
  });

  test('are one at a time', async () => {
    const lease = await acquire();
    log.late.confirm = 900;
    const confirm = jest.spyOn(log, 'confirm');
    for (let sequence = 1; sequence <= 30; sequence++) {
      lease.reached(sequence);
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(confirm.mock.calls.length).toBeLessThanOrEqual(4);
  });

  test('end it at once when the database says that it is lost', async () => {
    const lease = await acquire();
    log.expire(0);
    expect(await log.acquire(0, 'another', 60)).toBeDefined();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(lease.signal.aborted).toBe(true);
  });

  test('stop with its end', async () => {
    const lease = await acquire();
    await lease.end(false, 1_000);
    expect(jest.getTimerCount()).toBe(0);
    const confirm = jest.spyOn(log, 'confirm');
    await jest.advanceTimersByTimeAsync(10_000);
    expect(confirm).not.toHaveBeenCalled();
    expect(lease.signal.aborted).toBe(true);
  });
});

describe('its end', () => {
  test('stores what Kafka has and gives the lease back', async () => {
    const lease = await acquire();
    lease.reached(7);
    await lease.end(true, 1_000);
    expect([log.confirmed(0), log.holders(), log.releases]).toEqual([7, [''], 1]);
  });

  test('leaves it to run out when a batch may be on its way', async () => {
    const lease = await acquire();
    lease.reached(7);
    await lease.end(false, 1_000);
    expect([log.confirmed(0), log.holders(), log.releases]).toEqual([7, ['me'], 0]);
  });

  test('leaves a lease alone that is not surely held', async () => {
    const lease = await acquire();
    lease.reached(7);
    jest.setSystemTime(Date.now() + LEASE_MS);
    await lease.end(true, 1_000);
    expect([log.confirmed(0), log.releases]).toEqual([0, 0]);
  });

  test('waits for the renewal that is on its way, and for no answer longer than it may', async () => {
    const lease = await acquire();
    log.late.confirm = 500;
    await jest.advanceTimersByTimeAsync(1_000);
    lease.reached(7);
    const ended = lease.end(true, 5_000);
    await jest.advanceTimersByTimeAsync(1_200);
    await ended;
    expect([log.confirmed(0), log.releases]).toEqual([7, 1]);

    const next = await acquire();
    log.late.release = Number.POSITIVE_INFINITY;
    const given = next.end(true, 400);
    await jest.advanceTimersByTimeAsync(401);
    await given;
    expect(lines.join('\n')).toMatch(/lease of partition 0 left to run out/);
  });

  test('gives nothing back when the database says that it is lost', async () => {
    const lease = await acquire();
    lease.reached(7);
    log.expire(0);
    await lease.end(true, 1_000);
    expect([log.confirmed(0), log.releases]).toEqual([0, 0]);
  });
});

describe('starting over', () => {
  test('stores that Kafka has nothing, and later how far it is', async () => {
    log.setConfirmed(0, 500);
    const lease = await acquire();
    expect(lease.known).toBe(500);
    await lease.startOver();
    expect([lease.known, log.confirmed(0)]).toEqual([0, 0]);
    lease.reached(20);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(log.confirmed(0)).toBe(20);
    expect(await watch(lease, 10_000)).toBe(10_000);
  });

  test('a confirmation that arrives late does not undo it', async () => {
    const lease = await acquire();
    lease.reached(500);
    const confirm = log.confirm.bind(log);
    const delayed: (() => Promise<boolean>)[] = [];
    log.confirm = (...args) => {
      delayed.push(() => confirm(...args));
      return new Promise(() => {});
    };
    await jest.advanceTimersByTimeAsync(1_400); // asked, and given up
    log.confirm = confirm;
    const begun = lease.startOver();
    await jest.advanceTimersByTimeAsync(1_000);
    await begun;
    for (const arrive of delayed) await arrive();
    expect(log.confirmed(0)).toBe(0);
    expect(await watch(lease, 10_000)).toBe(10_000);
  });

  test('fails when the lease was lost, or nobody answers', async () => {
    const lost = await acquire();
    log.expire(0);
    await expect(lost.startOver()).rejects.toThrow(/the lease is lost/);
    expect(lost.signal.aborted).toBe(true);

    const lease = await acquire();
    log.late.startOver = Number.POSITIVE_INFINITY;
    const refused = expect(lease.startOver()).rejects.toThrow(/no answer about the relay lease/);
    await jest.advanceTimersByTimeAsync(1_100);
    await refused;
  });
});
