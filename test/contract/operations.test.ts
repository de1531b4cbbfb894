import { setTimeout as pause } from 'node:timers/promises';
import type { Permission } from '#api';
import { leafHash, nodeHash } from '#audit';
import { type OperationId, routes } from '#client';
import { includedRoot, parseCheckpoint, parseNote, parseTlogProof } from '#tlog';
import { bothLedgers, type Ledger, Transcript } from '../support/both-ledgers.js';
import { commandBodies, type SessionCommand, takesEpoch } from '../support/command-bodies.js';
import { inLists } from '../support/in-lists.js';
import { startService } from '../support/service.js';
import { cloudDebug, cloudDev } from '../support/sessions.js';

/** Stories that are told to both ledgers, and to one that gets lists, word by word the same: every operation, its pages, and what it refuses. */

let ledgers: Ledger[];
/** A service that is sent every command as a list of one. */
let lists: ReturnType<typeof inLists>;
const obeyed = new Set<OperationId>();
beforeAll(async () => {
  ledgers = await bothLedgers();
  const { url } = await startService();
  lists = inLists({ url, fetch, advance: () => {} });
});

type Story = (t: Transcript, userId: string) => Promise<void>;

/** Starts a session and gives how to command it: always the one that is current. */
async function started(t: Transcript, userId: string, more: Record<string, unknown> = {}) {
  let { session } = (await t.ask('startSession', { body: { userId, owner: cloudDev, ...more } })).body;
  const root: string = session.sessionId;
  return {
    root,
    get sessionId(): string {
      return session.sessionId;
    },
    async command(id: OperationId, body: Record<string, unknown>, headers = {}) {
      const { sessionId, epoch } = session;
      const told = await t.ask(id, { params: { sessionId }, body: { epoch, ...body }, headers } as never);
      if (told.body.session) session = told.body.current ?? told.body.session;
      return told;
    },
  };
}

/** Asks for all pages of two. */
async function pages(t: Transcript, id: OperationId, query: Record<string, unknown>) {
  for (let after: unknown, count = 0; count < 20; count++) {
    const page = { ...query, limit: 2, ...(after !== undefined && { after }) };
    const { body } = await t.ask(id, { query: page } as never);
    after = body.next;
    if (after === undefined) return;
  }
  throw new Error('the pages do not end');
}

const stories: Record<string, Story> = {
  'many in one request': async (t, userId) => {
    const one = await started(t, userId);
    const { root: sessionId } = one;
    const touched = { operation: 'touchSession', sessionId };
    await t.ask('sendCommands', { body: { commands: [touched, { operation: 'none' }] } });
    await t.ask('currentSessions', {
      body: { of: [{ userId }, { sessionId }, { userId, projectId: 'none' }] },
    });
  },
  'the life of a session': async (t, userId) => {
    const one = await started(t, userId, { phase: 'starting', projectId: 'a/b c' });
    await one.command('activateSession', {});
    await one.command('releaseOwnership', { to: cloudDebug, reservedSeconds: 600 });
    await one.command('claimOwnership', { owner: cloudDev });
    await one.command('claimOwnership', { owner: cloudDebug });
    await one.command('endSession', { origin: cloudDebug, reason: 'done', drainSeconds: 60 });
    await one.command('endSession', { origin: cloudDebug, reason: 'done' });
    await t.ask('scopeEvents', { query: { userId, projectId: 'a/b c' } });
  },
  'every command for a session, of a new one and of one that was confirmed, and again under its key': async (
    t,
    userId,
  ) => {
    for (const id of Object.keys(commandBodies) as SessionCommand[]) {
      const [bodyOf] = commandBodies[id];
      for (const phase of ['starting', 'active'] as const) {
        const projectId = `${id} ${phase}`;
        const query = { userId, projectId };
        const events = async () => (await t.ask('scopeEvents', { query })).body.events.length;
        const { session } = (
          await t.ask('startSession', {
            body: { ...query, owner: cloudDev, phase, lease: { seconds: 600 } },
          })
        ).body;
        const { sessionId, epoch } = session;
        const body = { ...bodyOf?.(`${userId} ${phase}`), ...(takesEpoch(id) && { epoch }) };
        const command = { params: { sessionId }, body, headers: { 'idempotency-key': projectId } };
        const first = await t.ask(id, command as never);
        const count = await events();
        const again = await t.ask(id, command as never);
        // What has made an event is not made again, and is answered as it was.
        expect([id, await events()]).toEqual([id, count]);
        if (count > 1) expect([id, again]).toEqual([id, first]);
      }
    }
  },
  'a chain, its history and its past': async (t, userId) => {
    const one = await started(t, userId, { attributes: { step: 0 }, policy: { adviseAt: 3 } });
    const places: string[] = [];
    for (const reason of ['build', 'compact', 'build', 'reset', 'build']) {
      const { body } = await one.command('rotateSession', { reason, versionId: `v ${places.length}` });
      places.push(`${body.position.partition}:${body.position.sequence}`);
      await one.command('changeAttributes', { attributes: { step: places.length } });
      const cost = { amount: '0.10', currency: places.length % 2 ? 'EUR' : 'CHF' };
      await one.command('recordUsage', { usage: { inputTokens: 10, outputTokens: places.length, cost } });
      // Of a session that has ended, later.
      const first = { params: { sessionId: one.root } };
      await t.ask('recordUsage', { ...first, body: { usage: { cachedTokens: 1, durationMs: 5 } } });
    }
    const marked = await t.ask('markCheckpoint', {
      params: { sessionId: one.sessionId },
      body: { label: 'good' },
    });
    const last = `${marked.body.position.partition}:${marked.body.position.sequence}`;
    const query = { userId, atLeast: last };
    await t.ask('sessions', { query });
    await t.ask('sessions', { query: { ...query, versionId: 'v 2' } });
    await t.ask('sessions', { query: { ...query, versionId: 'never' } });
    await t.ask('chain', { query });
    await t.ask('chain', { query: { ...query, sessionId: one.root } });
    await t.ask('chain', { query: { ...query, sessionId: '01920000-0000-7003-8000-000000000000' } });
    await t.ask('transitions', { query });
    for (const id of ['sessions', 'chain', 'transitions'] as const) await pages(t, id, query);
    await pages(t, 'scopeEvents', { userId });
    for (const asOf of places) {
      await t.ask('currentSession', { query: { userId, asOf } });
      await t.ask('chain', { query: { ...query, asOf } });
      await t.ask('usage', { query: { ...query, asOf } });
    }
    await t.ask('usage', { query });
    await t.ask('checkpoints', { query: { userId } });
  },
  'a past that was not, and one that is to come': async (t, userId) => {
    const query = { userId };
    const { sessionId } = await started(t, userId);
    const { body } = await t.ask('session', { params: { sessionId } });
    const partition = Number.parseInt(body.sessionId.slice(15, 18), 16);
    for (const asOf of ['2001-01-01T00:00:00Z', '2999-01-01T00:00:00Z', '2001-02-30T00:00:00Z', 'now']) {
      await t.ask('currentSession', { query: { ...query, asOf } });
      await t.ask('chain', { query: { ...query, asOf } });
      await t.ask('usage', { query: { ...query, asOf } });
    }
    for (const asOf of [`${partition}:999999`, `${(partition + 1) % 16}:1`, `${partition}:0`]) {
      await t.ask('currentSession', { query: { ...query, asOf } });
    }
    await t.ask('currentSession', { query: { ...query, asOf: `${partition}:1`, wait: 1 } });
    await t.ask('chain', { query: { ...query, asOf: `${partition}:1`, sessionId } });
    await t.ask('sessions', { query: { ...query, atLeast: `${(partition + 1) % 16}:1` } });
    await t.ask('sessions', { query: { ...query, after: 'bm8' } });
    await t.ask('chain', { query: { ...query, after: 'bm8' } });
    await t.ask('transitions', { query: { ...query, after: 'bm8' } });
    // How far the projection has come there is nothing to compare.
    const unplaced = new Transcript(t.ledger, t.obeyed, false);
    await unplaced.ask('sessions', { query: { userId: 'nobody' } });
    await unplaced.ask('chain', { query: { userId: 'nobody' } });
    await unplaced.ask('usage', { query: { userId: 'nobody' } });
    await unplaced.ask('transitions', { query: { userId: 'nobody' } });
    t.tell(unplaced.lines);
    await t.ask('scopeEvents', { query: { userId: 'nobody' } });
    await t.ask('checkpoints', { query: { userId: 'nobody' } });
  },
  'usage, a dead provider, and a checkpoint to return to': async (t, userId) => {
    const one = await started(t, userId);
    const usage = { inputTokens: 2 ** 52, cost: { amount: '0.000000001', currency: 'EUR' } };
    await one.command('recordUsage', { epoch: undefined, usage });
    await one.command('recordUsage', { epoch: undefined, usage: { inputTokens: 2 ** 52 } });
    for (const currency of ['AAA', 'BBB', 'CCC', 'DDD', 'EEE', 'FFF', 'GGG', 'HHH']) {
      await one.command('recordUsage', { epoch: undefined, usage: { cost: { amount: '1', currency } } });
    }
    const handle = { kind: 'provider', value: `${userId} 1` };
    await one.command('rotateSession', {
      reason: 'build',
      successorHandle: handle,
      usage: { durationMs: 1 },
    });
    const valid = one.sessionId;
    await one.command('markCheckpoint', { epoch: undefined, label: 'good' });
    await one.command('rotateSession', {
      reason: 'build',
      successorHandle: { ...handle, value: `${userId} 2` },
    });
    await one.command('markCheckpoint', { epoch: undefined, label: 'good' });
    await one.command('reportInvalid', { certainty: 'transient', reason: 'busy' });
    await one.command('reportInvalid', { certainty: 'transient', reason: 'busy' });
    await one.command('reportInvalid', { certainty: 'definite', reason: 'gone' });
    await t.ask('resolve', { body: { candidates: [handle] } });
    await one.command('recordUsage', { epoch: undefined, usage: { outputTokens: 1 } });
    await t.ask('recordUsage', { params: { sessionId: valid }, body: { usage: { outputTokens: 1 } } });
    await one.command('endSession', { origin: cloudDev, reason: 'done' });
    const again = { userId, owner: cloudDev };
    await t.ask('startSession', { body: { ...again, fromCheckpoint: 'good' } });
    await t.ask('startSession', { body: { ...again, fromCheckpoint: 'bad' } });
    await t.ask('resolve', { body: { candidates: [handle] } });
    for (let number = 0; number < 101; number++) {
      await t.ask('markCheckpoint', { params: { sessionId: valid }, body: { label: `mark ${number}` } });
    }
    await t.ask('checkpoints', { query: { userId } });
  },
  'outside names': async (t, userId) => {
    const name = (value: string, binds?: string) => ({
      kind: 'k',
      value: `${userId} ${value}`,
      ...(binds && { binds }),
    });
    const routing = [name('transport', 'scope'), name('provider', 'session')];
    const one = await started(t, userId, { handles: routing });
    const reference = { sessionId: one.sessionId, epoch: 1 };
    const two = await started(t, userId, { projectId: 'two', handles: [name('other', 'session')] });
    const mean = (candidates: object[], more = {}) =>
      t.ask('resolve', { body: { candidates, ...more } as never });
    await mean([name('transport'), name('provider'), reference]);
    await mean([name('nobody'), name('transport')]);
    await mean([name('nobody')]);
    await mean([name('transport'), name('other')]);
    await mean([name('transport'), name('other')], { override: true });
    await mean([{ ...reference, epoch: 9 }]);
    await mean([{ ...reference, sessionId: '01920000-0000-7003-8000-000000000000' }]);
    await one.command('changeHandles', { bind: [name('other', 'session')] });
    await one.command('changeHandles', { bind: [name('twice', 'scope'), name('twice', 'session')] });
    await one.command('changeHandles', { unbind: [name('provider'), name('other')] });
    await mean([name('provider')]);
    const many = (count: number, binds: string, from = 0) =>
      Array.from({ length: count }, (_, index) => name(`${binds} ${from + index}`, binds));
    await one.command('changeHandles', { bind: many(8, 'session') });
    await one.command('changeHandles', { bind: many(1, 'session', 8) });
    for (let from = 0; from < 40; from += 8)
      await one.command('changeHandles', { bind: many(8, 'scope', from) });
    await mean([name('transport')]);
    await mean([name('scope 7')]);
    await mean([name('scope 8')]);
    await one.command('rotateSession', { reason: 'build' });
    await mean([name('session 1')]);
    await mean([name('scope 39')]);
    await mean([reference]);
    await two.command('endSession', { origin: cloudDev, reason: 'done' });
    await mean([name('other')]);
    await t.ask('startSession', {
      body: { userId, owner: cloudDebug, onConflict: 'join', handles: routing } as never,
    });
    const joining = { userId, owner: cloudDev, onConflict: 'join', handles: [name('joined', 'session')] };
    await t.ask('startSession', { body: joining as never });
    await t.ask('scopeEvents', { query: { userId, limit: 500 } });
  },
  'a key is obeyed once': async (t, userId) => {
    const headers = { 'idempotency-key': `key of ${userId}` };
    const body = { userId, owner: cloudDev, attributes: { a: 1 } };
    for (let times = 0; times < 2; times++) await t.ask('startSession', { body, headers });
    await t.ask('startSession', { body: { ...body, owner: cloudDebug }, headers });
    await t.ask('startSession', { body: { ...body, userId: `${userId} too` }, headers });
    const one = await started(t, userId);
    const keyed = (id: OperationId, more: object) =>
      t.ask(id, {
        params: { sessionId: one.sessionId },
        body: more,
        headers: { 'idempotency-key': `${id} ${userId}` },
      } as never);
    for (let times = 0; times < 2; times++) {
      await keyed('recordUsage', { usage: { inputTokens: 1 } });
      await keyed('changeAttributes', { epoch: 3, attributes: { b: times * 0 } });
      await keyed('reportInvalid', { epoch: 3, certainty: 'transient', reason: 'busy' });
      await keyed('rotateSession', { epoch: 3, reason: 'build' });
      await keyed('endSession', { epoch: 3, origin: cloudDev, reason: 'late' });
    }
    await t.ask('eraseDetails', { query: { userId } });
    await t.ask('startSession', { body, headers });
    await t.ask('scopeEvents', { query: { userId } });
    await t.ask('startSession', { body, headers: { 'idempotency-key': 'x'.repeat(257) } });
  },
  'details are forgotten': async (t, userId) => {
    const one = await started(t, userId, { attributes: { a: { b: 1 } } });
    await one.command('changeAttributes', { attributes: { a: { b: null, c: 2 } } });
    await one.command('changeAttributes', { attributes: { a: { c: 2 } } });
    await started(t, userId, { projectId: 'two', attributes: { x: 1 } });
    await started(t, userId, { projectId: 'three' });
    await one.command('rotateSession', { reason: 'build' });
    await t.ask('eraseDetails', { query: { userId, projectId: 'two' } });
    await t.ask('eraseDetails', { query: { userId, projectId: 'two' } });
    await t.ask('eraseDetails', { query: { userId: 'nobody' } });
    await t.ask('eraseDetails', { query: { userId } });
    await t.ask('currentSession', { query: { userId } });
    const { body } = await one.command('changeAttributes', { attributes: { d: 1 } });
    const { partition, sequence } = body.position;
    await t.ask('chain', { query: { userId, atLeast: `${partition}:${sequence}` } });
    await t.ask('scopeEvents', { query: { userId } });
    await one.command('changeAttributes', { attributes: { big: 'x'.repeat(4_000) } });
    await one.command('changeAttributes', { attributes: { bigger: 'x'.repeat(4_000) } });
    await one.command('changeAttributes', { attributes: { d: null, big: null } });
  },
  'leases are renewed one by one and together': async (t, userId) => {
    const lease = { seconds: 600 };
    const one = await started(t, userId, { lease });
    const two = await started(t, userId, { projectId: 'two', lease: { seconds: 600, renewOn: 'use' } });
    const three = await started(t, userId, { projectId: 'three' });
    const ids = [one, two, three].map(({ sessionId }) => ({ sessionId, epoch: 1 }));
    await one.command('renewLease', {});
    await three.command('renewLease', {});
    await two.command('touchSession', { epoch: undefined });
    const unknown = { sessionId: '01920000-0000-7003-8000-000000000000', epoch: 1 };
    await t.ask('renewLeases', {
      body: [...ids, unknown, { sessionId: '01920000-0000-7fff-8000-000000000000', epoch: 1 }],
    });
    await t.ask('renewLeases', { body: [...ids, ...ids] });
    await t.ask('renewLeases', { body: [] });
  },
  'waiting for a change': async (t, userId) => {
    const query = { userId, wait: 20, after: 0 };
    const waiting = new Transcript(t.ledger);
    const first = waiting.ask('currentSession', { query });
    const one = await started(t, userId);
    await first;
    const second = waiting.ask('currentSession', { query: { ...query, after: 1 } });
    await one.command('releaseOwnership', { to: cloudDebug });
    await second;
    await waiting.ask('currentSession', { query: { ...query, after: 2, wait: 1 } });
    const third = waiting.ask('currentSession', { query: { ...query, after: 2 } });
    await one.command('endSession', { origin: cloudDebug, reason: 'done' });
    await third;
    await waiting.ask('currentSession', { query: { ...query, after: 3, wait: 1 } });
    t.tell(waiting.lines);
  },
  'an ETag': async (t, userId) => {
    const one = await started(t, userId);
    const query = { userId };
    for (const etag of ['"1"', '"2"', 'W/"1"']) {
      await t.ask('currentSession', { query, headers: { 'if-none-match': etag } });
    }
    await one.command('endSession', { origin: cloudDev, reason: 'done' });
    await t.ask('currentSession', { query, headers: { 'if-none-match': '"2"' } });
  },
  'all sessions of a user': async (t, userId) => {
    for (let project = 0; project < 3; project++) await started(t, userId, { projectId: `p ${project}` });
    await started(t, `${userId}/p`, {});
    const all = new Transcript(t.ledger);
    const { body } = await all.ask('currentSession', { query: { userId, all: true } });
    // In no order that a caller may rely on.
    t.tell(body.sessions.map(({ scope }: { scope: { projectId: string } }) => scope.projectId).sort());
    t.tell(Object.keys(body));
    for (const more of [{ projectId: 'x' }, { wait: 1 }, { after: 1 }, { asOf: '1:1' }, { next: 'x' }]) {
      await t.ask('currentSession', { query: { userId, all: true, ...more } });
    }
    await t.ask('currentSession', { query: { userId, next: '1.2' } });
    await t.ask('currentSession', { query: { userId, all: true }, headers: { 'if-none-match': '"1"' } });
  },
  'all current sessions of a project': async (t, userId) => {
    const projectId = `p of ${userId}`;
    const query = { projectId };
    for (const user of ['one', 'two', 'three']) {
      const scope = { userId: `${userId}/${user}`, projectId };
      const { body } = await t.ask('startSession', { body: { ...scope, owner: cloudDev } });
      const { partition, sequence } = body.position;
      await t.ask('sessions', { query: { ...scope, atLeast: `${partition}:${sequence}` } });
      await pause(5); // of one millisecond they are in the order of their ids
    }
    await t.ask('listCurrent', { query: { ...query, limit: 2 } });
    await t.ask('listCurrent', { query: { ...query, sort: 'lease', environment: 'cloud-dev' } });
    await t.ask('listCurrent', { query: { ...query, instance: 'none', resetAdvised: true } });
    await t.ask('versionSessions', { query: { versionId: 'of nobody' } });
    await t.ask('listCurrent', { query: { next: 'bm8' } });
    await t.ask('listCurrent', { query: { before: '2026-02-30T00:00:00Z' } });
  },
  'a job over many sessions': async (t, userId) => {
    const owner = { environment: `cloud of ${userId}`, instance: 'i' };
    await started(t, userId, { owner });
    const two = await started(t, userId, { projectId: 'two', owner });
    await two.command('releaseOwnership', {});
    await started(t, userId, { projectId: 'three', owner: { ...owner, instance: 'j' } });
    const headers = { 'idempotency-key': `job ${userId}` };
    const run = async (body: object, more = {}) => {
      const { body: job } = await t.ask('startBulk', { body, ...more } as never);
      if (job.jobId) await t.ask('bulkJob', { params: { jobId: job.jobId }, query: { wait: 20 } });
    };
    const order = { select: { ...owner }, action: 'release', reason: 'gone' };
    await run(order, { headers });
    await run(order, { headers });
    await run({ ...order, reason: 'other' }, { headers });
    await run({ select: { userId }, action: 'release', reason: 'gone' });
    await run({ select: { userId }, action: 'end', reason: 'gone' });
    await run({ select: {}, action: 'end', reason: 'gone' });
    await run({ select: { userId, environment: 'x' }, action: 'end', reason: 'gone' });
    const ask = (query: object) => t.ask('bulkJobs', { query });
    const { body: page } = await ask({ limit: 2 });
    await ask({ limit: 1, after: page.next });
    await ask({ limit: 1, after: '01920000-0000-7003-8000-000000000000' });
    await t.ask('bulkJob', { params: { jobId: '01920000-0000-7003-8000-000000000000' } });
    for (const projectId of ['default', 'two', 'three'])
      await t.ask('scopeEvents', { query: { userId, projectId } });
  },
  'what consumers hold': async (t, userId) => {
    const one = await started(t, userId);
    const old = one.sessionId;
    await one.command('rotateSession', { reason: 'build' });
    const of = (consumer: string, sessionId: string, more = {}) => ({ consumer, userId, sessionId, ...more });
    const reports = [
      of('edge', old),
      of('edge', one.sessionId),
      of('cache', old),
      of('cache', old, { projectId: 'nothing' }),
      of('store', '01920000-0000-7003-8000-000000000000'),
    ];
    await t.ask('report', { body: reports });
    await t.ask('report', { body: [of('cache', old)] });
    for (const query of [{}, { consumer: 'cache' }, { consumer: 'nobody' }, { after: 'bm8' }]) {
      const plain = new Transcript(t.ledger, t.obeyed);
      const { status, body } = await plain.ask('stats', { query });
      t.tell([status, body.sync ?? body, Object.keys(body)]);
    }
    await pages(
      {
        ask: async (id: OperationId, request: never) => {
          const { body } = await new Transcript(t.ledger).ask(id, request);
          t.tell(body.sync.list);
          return { status: 200, body: body.sync };
        },
      } as never,
      'stats',
      { consumer: 'cache' },
    );
    await t.ask('report', { body: [] });
    await t.ask('withdrawReports', { query: { consumer: 'nobody' } });
  },
  'the feed and the streams': async (t, userId) => {
    const one = await started(t, userId);
    const partition = Number.parseInt(one.sessionId.slice(15, 18), 16);
    const { body } = await t.ask('scopeEvents', { query: { userId } });
    const { sequence } = body.events[0];
    await one.command('rotateSession', { reason: 'build' });
    await one.command('rotateSession', { reason: 'build' });
    await pages(t, 'feed', { partition, after: Number(sequence) - 1 });
    await t.ask('feed', { query: { partition: 16 } });
    const scope = `/v1/stream?userId=${encodeURIComponent(userId)}`;
    await t.listen(scope, 3, { 'last-event-id': '1' }, () => one.command('rotateSession', { reason: 'x' }));
    await t.listen(scope, 1, {}, () => one.command('rotateSession', { reason: 'y' }));
    await t.listen('/v1/feed/stream', 1, {}, () => one.command('rotateSession', { reason: 'z' }));
    await t.listen('/v1/stream/tenant', 1, {}, () => one.command('rotateSession', { reason: 'w' }));
    const vector = Array.from({ length: 16 }, () => '0').join('.');
    for (const id of ['x', vector.replace('0', 'zzz'), '0.0']) {
      await t.raw('/v1/feed/stream', { headers: { 'last-event-id': id } });
    }
    for (const id of ['x', '999']) await t.raw(scope, { headers: { 'last-event-id': id } });
    obeyed.add('feedStream').add('scopeStream').add('tenantStream');
  },
  'what is proven': async (t, userId) => {
    for (const _ of [1, 2, 3]) await started(t, userId);
    const { body: last } = await t.ask('startSession', { body: { userId, owner: cloudDev } });
    const { partition, sequence } = last.position as { partition: number; sequence: number };
    // Roots are of ids and times, which differ: what they have to do with each other does not.
    const hidden = new Transcript(t.ledger, t.obeyed);
    const asked = { partition };
    const of = { partition: String(partition) };
    const { body: text } = await hidden.ask('auditProof', {
      query: { position: `${partition}:${sequence}` },
    });
    const { body: page } = await hidden.ask('feed', { query: { ...asked, after: sequence - 1 } });
    const { index, hashes, checkpoint } = parseTlogProof(text);
    const { size, root } = parseCheckpoint(parseNote(checkpoint).text);
    const leaf = leafHash(Buffer.from(JSON.stringify(page.events[0])));
    const found = await includedRoot({ index, size, leaf, hashes }, nodeHash);
    const { body: note } = await hidden.ask('auditCheckpoint', { query: asked });
    const { body: tiled } = await hidden.ask('auditPartition', { params: of });
    const { body: all } = await hidden.ask('auditCheckpoints');
    t.tell([
      Buffer.from(root).equals(found),
      index,
      size,
      all.checkpoints[partition] === note,
      tiled === note,
    ]);
    const grown = { ...asked, from: 1, to: sequence };
    const { body: proof } = await hidden.ask('auditConsistency', { query: grown });
    t.tell([proof.from, proof.to, proof.hashes.length]);
    const tile = { ...of, tile: `0/000.p/${Math.min(255, sequence)}` };
    t.tell((await hidden.ask('auditTile', { params: tile })).status);
    t.tell((await hidden.ask('auditKept', { query: asked })).status);
    t.tell((await hidden.ask('auditKeys')).body.keys);
    await t.ask('auditProof', { query: { position: `${partition}:0` } });
    await t.ask('auditProof', { query: { position: `${partition}:9007199254740993` } });
    await t.ask('auditProof', { query: { position: '4000:1' } });
    await t.ask('auditConsistency', { query: { ...asked, from: 2, to: 1 } });
    await t.ask('auditTile', { params: { ...of, tile: '7/000' } });
    await t.ask('auditTile', { params: { partition: '99', tile: '0/000' } });
  },
  'the snapshot': async (t, userId) => {
    await started(t, userId, { attributes: { a: 1 } });
    const { body } = await new Transcript(t.ledger, t.obeyed).ask('snapshot');
    const lines = body
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    const mine = lines.find(
      ({ session }: { session?: { scope: { userId: string } } }) => session?.scope.userId === userId,
    );
    t.tell([mine, lines.at(-1), lines.filter(({ position }: { position?: object }) => position)]);
  },
  'who asks is told what may be asked': async (t) => {
    const { body } = await new Transcript(t.ledger, t.obeyed).ask('access');
    const { version: _, source: __, ...caller } = body;
    t.tell([caller, Object.keys(body)]);
  },
  'keys are made, listed, rotated and revoked': async (t) => {
    const permissions: Permission[] = ['read', 'write'];
    const body = { tenant: 'acme', name: 'worker', permissions, principal: 'worker' };
    const headers = { 'idempotency-key': 'the first' };
    const { keyId } = (await t.ask('createKey', { body, headers })).body.key;
    await t.ask('createKey', { body, headers });
    const more = { environments: ['cloud-dev'], limits: { commands: 5 }, expiresInSeconds: 600 };
    await t.ask('createKey', { body: { ...body, ...more } });
    await t.ask('createKey', { body: { ...body, ledgerWide: true, permissions: ['audit'] } });
    await t.ask('createKey', { body: { ...body, permissions: ['audit'] } });
    await t.ask('createKey', { body: { ...body, permissions: [] } });
    await t.ask('createKey', { body: { ...body, tenant: 'a/b' } });
    await t.ask('createKey', { body: { ...body, principal: 'a"b' } });
    const page = await new Transcript(t.ledger).ask('listKeys', { query: { limit: 500 } });
    t.tell(
      page.body.keys.map(({ tenant, ledgerWide }: Record<string, unknown>) => [tenant, ledgerWide]).sort(),
    );
    await t.ask('rotateKey', { params: { keyId }, body: { overlapSeconds: 60 } });
    await t.ask('revokeKey', { params: { keyId } });
    await t.ask('rotateKey', { params: { keyId }, body: {} });
    for (const unknown of ['0000000000', 'none', 'x'.repeat(65)]) {
      await t.ask('rotateKey', { params: { keyId: unknown }, body: {} });
      await t.ask('revokeKey', { params: { keyId: unknown } });
    }
    await t.ask('listKeys', { query: { limit: 1, after: 'zzzzzzzzzz' } });
  },
  'what a problem means': async (t) => {
    for (const code of ['stale-epoch', 'overloaded', 'no-such', 'constructor']) {
      await t.ask('problem', { params: { code } });
    }
  },
  'what is no request of this ledger': async (t, userId) => {
    const uuid = '01920000-0000-7003-8000-000000000000';
    for (const path of [
      '/nothing',
      '/v1/sessions/x/y/z',
      '/v1/sessions/no-uuid',
      '/v1/sessions/%zz',
      '/v1/current?userId=%zz',
      '/v1/current',
      '/v1/current?userId=a&userId=b',
      '/v1/current?userId=a&x=1',
      '/v1/current?userId=a&wait=x',
      '/v1/current?userId=a&wait=61',
      '/v1/feed?partition=1e400',
      `/v1/sessions/${uuid}/end`,
    ]) {
      await t.raw(path);
    }
    const good = { userId, owner: cloudDev };
    const json = { 'content-type': 'application/json' };
    for (const [body, headers] of [
      ['', json],
      ['{"userId"', json],
      ['null', json],
      ['[]', json],
      ['{}', json],
      [JSON.stringify(good), { 'content-type': 'text/plain' }],
      [JSON.stringify({ ...good, x: 'x'.repeat(64 << 10) }), json],
      [JSON.stringify(good).replace('}}', '},"__proto__":{}}'), json],
      [JSON.stringify(good).replace('}}', '},"attributes":{"constructor":{"prototype":{}}}}'), json],
      [JSON.stringify(good).replace('}}', '},"attributes":{"a":1e400}}'), json],
      [JSON.stringify({ ...good, attributes: { a: '\0' } }), json],
      [JSON.stringify({ ...good, attributes: { a: 'x'.repeat(4_096) } }), json],
      [JSON.stringify({ ...good, policy: { adviseAt: 3, maxChainLength: 2 } }), json],
      [JSON.stringify({ ...good, handles: [{ kind: 'k', value: 'v', binds: 'both' }] }), json],
    ] as const) {
      await t.raw('/v1/sessions', { method: 'POST', body, headers });
    }
    const one = await started(t, userId);
    await one.command('releaseOwnership', { reservedSeconds: 9 });
    await t.raw('/v1/sessions', { method: 'PUT', headers: json, body: '{}' });
  },
};

const toldBy = async (ledger: Ledger, name: string) => {
  const transcript = new Transcript(ledger, obeyed);
  await (stories[name] as Story)(transcript, name);
  return transcript.lines;
};

test.each(Object.keys(stories))('%s', async (name) => {
  const [service, memory, listed] = await Promise.all([...ledgers, lists].map((one) => toldBy(one, name)));
  expect(service!.length).toBeGreaterThan(0);
  expect(memory).toEqual(service);
  // Only an answer to one command alone says in its head where the log stands. What is wrong with a request as such is told of the list.
  if (name !== 'what is no request of this ledger')
    expect(withoutPositions(listed)).toEqual(withoutPositions(service));
});

const isPosition = (header: unknown) => Array.isArray(header) && header[0] === 'ledger-position';
/** Of lines that are method, address, status, headers and body. */
const withoutPositions = (lines: unknown[] | undefined) =>
  lines?.map((line) =>
    Array.isArray(line)
      ? line.map((part) => (Array.isArray(part) ? part.filter((header) => !isPosition(header)) : part))
      : line,
  );

test('what is told of lists was sent in lists', () => {
  expect(lists.lists).toBeGreaterThan(100);
});

test('these stories tell of every operation of the API', () => {
  expect(Object.keys(routes).filter((id) => !obeyed.has(id as OperationId))).toEqual([]);
});
