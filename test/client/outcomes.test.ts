import { setTimeout as pause } from 'node:timers/promises';
import { ClientBusy, LedgerClient, type LedgerError, NoAnswer, type OwnedSession } from '#client';
import { failed } from '../support/client.js';
import {
  cut,
  type Fault,
  faultyWay,
  late,
  lost,
  page,
  problem,
  replaced,
  slow,
  stopped,
  unsent,
} from '../support/faults.js';
import { type Service, startService } from '../support/service.js';
import { cloudDebug, cloudDev, newUser } from '../support/sessions.js';

/** "Not obeyed" is said only of what has left no trace. */

let service: Service;
let ledger: LedgerClient;
const clients: LedgerClient[] = [];
beforeAll(async () => {
  service = await startService();
  ledger = clientOf();
});
afterAll(() => {
  for (const client of clients) client.close();
});

function clientOf(options: object = {}): LedgerClient {
  const client = new LedgerClient({ url: service.url, maxWatches: 0, ...options });
  clients.push(client);
  return client;
}

const never = new Promise<never>(() => {});

/** A session of its own, and a rotation of it on a way that has faults. */
async function rotation(...faults: Fault[]) {
  const userId = newUser();
  const { session } = await ledger.call('startSession', { body: { userId, owner: cloudDev } });
  const way = faultyWay();
  const client = clientOf({ fetch: way.fetch, deadlineMs: 2_000, attemptMs: 300 });
  way.plan('/rotate', ...faults);
  const body = { epoch: 1, owner: cloudDev, reason: 'build' as const };
  const request = { params: { sessionId: session.sessionId }, body };
  return {
    way,
    userId,
    rotate: (options: object = {}) => client.call('rotateSession', request, options),
    epoch: async () => (await ledger.current({ userId }))?.epoch,
  };
}

/** What a call may end with, and whether that, by itself, leaves open what became of the command. */
const ends: { what: string; end: Fault; isOpen: boolean }[] = [
  ...(
    [
      ['invalid-request', 400],
      ['operate-required', 403],
      ['not-found', 404],
      ['request-timeout', 408],
      ['body-too-large', 413],
      ['overloaded', 429],
      ['headers-too-large', 431],
      ['overloaded', 503],
      ['timeout', 503],
      ['unavailable', 503],
      ['closing', 503],
      ['from-the-future', 409],
    ] as const
  ).map(([code, status]) => ({
    what: `${status} ${code}`,
    end: stopped(() => problem(code, status)),
    isOpen: false,
  })),
  ...(
    [
      ['internal', 500],
      ['unknown-outcome', 503],
      ['from-the-future', 503],
    ] as const
  ).map(([code, status]) => ({
    what: `${status} ${code}`,
    end: stopped(() => problem(code, status)),
    isOpen: true,
  })),
  ...[401, 403, 404, 409, 413, 429].map((status) => ({
    what: `a page with ${status}`,
    end: stopped(() => page(status)),
    isOpen: false,
  })),
  ...[200, 302, 408, 500, 501, 502, 503, 504].map((status) => ({
    what: `a page with ${status}`,
    end: stopped(() => page(status)),
    isOpen: true,
  })),
];

describe('a command that ends with', () => {
  test.each(ends)('$what says whether it may have been obeyed', async ({ end, isOpen }) => {
    const { way, rotate } = await rotation(end);
    const error = await failed<LedgerError>(rotate());
    expect([error.outcomeUnknown, way.requests.length]).toEqual([isOpen, 1]);
    expect(error.idempotencyKey).toBe(way.requests[0]?.key);
  });

  test.each(ends)(
    '$what after an attempt that was obeyed and lost says that it may have been',
    async ({ end }) => {
      const { way, rotate, epoch } = await rotation(lost, end);
      const error = await failed<LedgerError>(rotate());
      expect([error.outcomeUnknown, way.requests.length, await epoch()]).toEqual([true, 2, 2]);
      expect(new Set(way.requests.map(({ key }) => key)).size).toBe(1);
    },
  );

  test.each(ends)(
    '$what after a call with the same key says that it may have been obeyed',
    async ({ end }) => {
      const { way, rotate, epoch } = await rotation(lost, end);
      const first = await failed<LedgerError>(rotate({ deadlineMs: 100 }));
      const { idempotencyKey } = first;
      const second = await failed<LedgerError>(rotate({ idempotencyKey }));
      expect([first.outcomeUnknown, second.outcomeUnknown, await epoch()]).toEqual([true, true, 2]);
      expect(way.requests).toHaveLength(2);
      expect(await rotate({ idempotencyKey })).toMatchObject({ outcome: 'rotated', session: { epoch: 2 } });
    },
  );

  test('answers that know nothing of the attempt before them, however many, may have been obeyed', async () => {
    const soon = (make: (retryAfter: number) => Response) => stopped(() => make(0));
    const { way, rotate, epoch } = await rotation(
      lost,
      soon((after) => problem('overloaded', 429, after)),
      soon((after) => problem('unavailable', 503, after)),
      unsent,
      soon((after) => page(429, after)),
      stopped(() => problem('overloaded', 503)),
    );
    const error = await failed<LedgerError>(rotate({ deadlineMs: 30_000 }));
    expect(error).toMatchObject({ code: 'overloaded', outcomeUnknown: true });
    expect([way.requests.length, await epoch()]).toEqual([6, 2]);
  });

  test.each([
    ['half of its answer', cut],
    ['an answer that came too late', late(() => never)],
    ['an answer that something on the way has replaced', replaced(() => problem('unknown-outcome', 503))],
    ['no answer', lost],
  ])('%s may have been obeyed', async (_, end) => {
    const { rotate, epoch } = await rotation(end);
    const error = await failed<LedgerError>(rotate({ deadlineMs: 100 })); // too little for a second attempt
    expect([error.outcomeUnknown, await epoch()]).toEqual([true, 2]);
  });

  test('a deadline that passes before a slow ledger hears of it may be obeyed later', async () => {
    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const { rotate, epoch } = await rotation(slow(() => awake));
    expect(await failed<LedgerError>(rotate({ deadlineMs: 200 }))).toMatchObject({
      name: 'NoAnswer',
      outcomeUnknown: true,
    });
    expect(await epoch()).toBe(1);
    wake();
  });

  test('what the ledger has decided was not obeyed, whatever became of the attempts before', async () => {
    for (const before of [[], [unsent], [late(() => never), unsent]]) {
      const { rotate, userId } = await rotation(...before);
      await ledger.call('startSession', { body: { userId, owner: cloudDebug } });
      const error = await failed<LedgerError>(rotate());
      expect(error).toMatchObject({ code: 'stale-session', outcomeUnknown: false });
    }
    const { rotate, userId } = await rotation(unsent);
    const idempotencyKey = newUser();
    await ledger.call('startSession', { body: { userId, owner: cloudDev } }, { idempotencyKey });
    const error = await failed<LedgerError>(rotate({ idempotencyKey }));
    expect(error).toMatchObject({ code: 'key-reused', outcomeUnknown: false });
  });
});

test('a read has no outcome, whatever it runs into', async () => {
  for (const { end } of ends) {
    const way = faultyWay();
    way.plan('/v1/current', unsent, end);
    const client = clientOf({ fetch: way.fetch, deadlineMs: 500 });
    expect(await failed<LedgerError>(client.current({ userId: 'ada' }))).toMatchObject({
      outcomeUnknown: false,
      idempotencyKey: undefined,
    });
  }
});

test('what is more than one command may be done in part when the ledger fails', async () => {
  const way = faultyWay();
  const client = clientOf({ fetch: way.fetch, deadlineMs: 500 });
  const unavailable = stopped(() => problem('unavailable', 503));
  way.plan('', ...Array.from({ length: 6 }, () => unavailable));
  const params = { sessionId: '01920000-0000-7003-8000-000000000000' };
  const select = { userId: 'ada' };
  const open = await Promise.all(
    [
      client.call('eraseDetails', { query: { userId: 'ada' } }),
      client.call('report', { body: { consumer: 'a', sessions: [] } as never }),
      client.call('startBulk', { body: { select, action: 'end', reason: 'left' } }),
      client.call('renewLease', { params, body: { epoch: 1 } }),
      client.call('touchSession', { params, body: {} }),
      client.call('recordUsage', { params, body: { usageId: 'a' } as never }),
    ].map((call) => failed<LedgerError>(call)),
  );
  expect(open.map(({ outcomeUnknown }) => outcomeUnknown)).toEqual([true, true, true, true, true, false]);
});

describe('headers that are asked for', () => {
  const userId = 'ada';
  test('and do not come count as the time of the attempt', async () => {
    const client = clientOf({ headers: () => never, deadlineMs: 400, attemptMs: 100 });
    const began = performance.now();
    const error = await failed<LedgerError>(client.join({ userId, owner: cloudDev }));
    expect(error).toBeInstanceOf(NoAnswer);
    expect(error.outcomeUnknown).toBe(false); // nothing was ever sent
    expect((error as NoAnswer).attempts).toBeGreaterThan(1);
    expect(performance.now() - began).toBeLessThan(1_000);
    const gone = AbortSignal.timeout(50);
    expect(await failed<LedgerError>(client.current({ userId }, { signal: gone, attemptMs: 5_000 }))).toBe(
      gone.reason,
    );
    await expect(client.stream('feedStream', {}, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  test('and fail are asked for again; only what was sent may have been obeyed', async () => {
    const way = faultyWay();
    let asked = 0;
    const headers = () => {
      asked += 1;
      if (asked % 2 === 1) throw new Error('no token just now');
      return { authorization: `token ${asked}` };
    };
    const client = clientOf({ fetch: way.fetch, headers, deadlineMs: 2_000 });
    expect(await client.join({ userId, owner: cloudDev })).toMatchObject({ session: { status: 'active' } });
    expect([asked, way.requests.length]).toEqual([2, 1]);
    const none = clientOf({ headers: () => Promise.reject(new Error('no token')), deadlineMs: 200 });
    const error = await failed<LedgerError>(none.join({ userId, owner: cloudDev }));
    expect(error).toMatchObject({ name: 'NoAnswer', outcomeUnknown: false, cause: new Error('no token') });

    way.plan('/v1/sessions', lost);
    let isOver = false;
    const once = clientOf({
      fetch: way.fetch,
      headers: () => {
        if (isOver) throw new Error('no token any more');
        isOver = true;
        return {};
      },
      deadlineMs: 400,
    });
    expect(await failed<LedgerError>(once.join({ userId, owner: cloudDev }))).toMatchObject({
      outcomeUnknown: true,
    });
  });
});

describe('a session of which a command', () => {
  const start = async (options: object = {}) => {
    const way = faultyWay();
    const client = clientOf({ fetch: way.fetch, attemptMs: 300, deadlineMs: 1_000, ...options });
    const session = await client.start({ userId: newUser(), owner: cloudDev });
    return { way, client, session };
  };
  const commands: [string, (session: OwnedSession, options: object) => Promise<unknown>][] = [
    ['rotate', (session, options) => session.rotate({ reason: 'build' }, options)],
    ['release', (session, options) => session.release({}, options)],
    ['end', (session, options) => session.end({ reason: 'done' }, options)],
  ];

  test.each(commands)(
    '%s is given up once it was sent is lost, before that it is held',
    async (path, ask) => {
      const { way, session } = await start();
      const reason = new Error('enough');
      expect(await failed<LedgerError>(ask(session, { signal: AbortSignal.abort(reason) }))).toBe(reason);
      // Neither is one that waits for its turn.
      let go = () => {};
      const gone = new Promise<void>((resolve) => {
        go = resolve;
      });
      way.plan(
        '/attributes',
        late(() => gone),
      );
      const change = session.changeAttributes({ a: 1 });
      const waiting = new AbortController();
      const inTurn = failed<LedgerError>(ask(session, { signal: waiting.signal }));
      waiting.abort(reason);
      go();
      await change;
      expect(await inTurn).toBe(reason);
      expect([session.state, way.requestsOf(path).length]).toEqual(['held', 0]);

      way.plan(
        `/${path}`,
        late(() => never),
      );
      const sent = new AbortController();
      const given = failed<LedgerError>(ask(session, { signal: sent.signal }));
      while (way.requestsOf(path).length === 0) await pause(5);
      sent.abort(reason);
      expect(await given).toBe(reason);
      expect([session.state, session.loss?.why]).toEqual(['lost', 'unknown-outcome']);
    },
  );

  test.each(commands)('%s is refused on the way is held, also under a key of its user', async (path, ask) => {
    const { way, session } = await start();
    for (const options of [{}, { idempotencyKey: newUser() }]) {
      way.plan(
        `/${path}`,
        stopped(() => problem('overloaded', 429)),
      );
      expect(await failed<LedgerError>(ask(session, options))).toMatchObject({
        status: 429,
        outcomeUnknown: false,
      });
      expect(session.state).toBe('held');
    }
    way.plan(
      `/${path}`,
      lost,
      stopped(() => problem('overloaded', 429)),
    );
    expect(await failed<LedgerError>(ask(session, {}))).toMatchObject({ status: 429, outcomeUnknown: true });
    expect([session.state, session.loss?.why]).toEqual(['lost', 'unknown-outcome']);
  });

  test('changes attributes under a key twice is told that they may have been changed', async () => {
    const { way, session } = await start();
    const idempotencyKey = newUser();
    const change = () => session.changeAttributes({ a: 1 }, { idempotencyKey, deadlineMs: 300 });
    way.plan(
      '/attributes',
      lost,
      stopped(() => problem('overloaded', 429)),
      stopped(() => problem('overloaded', 429)),
    );
    for (let calls = 0; calls < 2; calls++) {
      expect(await failed<LedgerError>(change())).toMatchObject({ status: 429, outcomeUnknown: true });
    }
    expect(await change()).toMatchObject({ outcome: 'changed' });
    expect(session.state).toBe('held');
  });

  test('cannot be awaited, because too many wait already, was not sent', async () => {
    const { way, session } = await start();
    way.plan(
      '/attributes',
      late(() => never),
    );
    const all = Array.from({ length: 101 }, (_, number) =>
      failed<LedgerError>(session.changeAttributes({ number }, { deadlineMs: 100 })).catch(() => undefined),
    );
    const busy = await all[100];
    expect(busy).toBeInstanceOf(ClientBusy);
    expect(busy?.outcomeUnknown).toBe(false);
    await Promise.all(all);
  });

  test('is the start, obeyed in an earlier call, may be current when nobody can tell', async () => {
    const { way, client } = await start();
    const body = { userId: newUser(), owner: cloudDev };
    const idempotencyKey = newUser();
    way.plan('/v1/sessions', lost);
    expect(await failed<LedgerError>(client.start(body, { idempotencyKey, deadlineMs: 50 }))).toMatchObject({
      outcomeUnknown: true,
    });
    const current = await ledger.current(body);
    way.plan(`/v1/sessions/${current?.sessionId}`, ...Array.from({ length: 20 }, () => unsent));
    const error = await failed<LedgerError>(client.start(body, { idempotencyKey, deadlineMs: 200 }));
    expect(error).toMatchObject({ name: 'NoAnswer', outcomeUnknown: true, idempotencyKey });
    const enough = new AbortController();
    way.plan(
      `/v1/sessions/${current?.sessionId}`,
      late(() => never),
    );
    setTimeout(() => enough.abort(new Error('enough')), 100);
    const given = client.start(body, { idempotencyKey, signal: enough.signal, attemptMs: 5_000 });
    expect(await failed<LedgerError>(given)).toBe(enough.signal.reason);
  });
});
