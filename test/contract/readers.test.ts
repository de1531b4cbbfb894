import { bothLedgers, type Ledger } from '../support/both-ledgers.js';
import { ask, type Call } from '../support/http.js';
import { type CommandBody, cloudDev, newUser, type ProblemBody } from '../support/sessions.js';
import { openSse, type Sent } from '../support/sse.js';

/** What readers of either ledger may rely on: they miss nothing, and wait for nothing that does not come. */

let ledgers: Ledger[];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

describe.each([
  ['the service', 0],
  ['the ledger in memory', 1],
])('%s', (_, index) => {
  const ledger = () => ledgers[index] as Ledger;
  const askFor = <Body = Record<string, unknown>>(path: string, call: Call = {}) =>
    ask<Body>(`${ledger().url}${path}`, { ...call, send: ledger().fetch });
  const start = async (userId: string) =>
    (await askFor<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev } })).body;
  const open = (path: string, lastEventId?: string) =>
    openSse(`${ledger().url}${path}`, lastEventId, ledger().fetch);
  const scopeOf = (userId: string) => `/v1/stream?userId=${userId}`;
  const refusal = async (path: string, lastEventId: string) => {
    const { status, body } = await askFor<ProblemBody>(path, { headers: { 'last-event-id': lastEventId } });
    return [status, body.detail];
  };
  const idOf = ([event]: Sent[]) => event?.data.id;
  const positionOf = ({ position: { partition, sequence } }: CommandBody) => `${partition}:${sequence}`;

  describe.each([
    ["a scope's stream", scopeOf],
    ['the feed stream', () => '/v1/feed/stream'],
  ])('%s', (_stream, addressOf) => {
    test('says where it begins, so that a reader who comes back before its first event misses none', async () => {
      const userId = newUser();
      await start(userId);
      const reader = await open(addressOf(userId));
      reader.close();
      const missed = positionOf(await start(userId));
      const again = await open(addressOf(userId), reader.lastEventId);
      expect([reader.lastEventId, again.firstId]).toEqual([reader.firstId, reader.firstId]);
      const events = await again.take(2); // the first start is superseded, by two events
      expect(events.map(({ data }) => data.id)).toContain(missed);
    });

    test('goes on after an id in the address; the header, which is newer, counts before it', async () => {
      const userId = newUser();
      const reader = await open(addressOf(userId));
      const began = reader.lastEventId;
      const one = positionOf(await start(userId));
      await start(userId);
      const [event] = await reader.take(1);
      const from = new URL(addressOf(userId), ledger().url);
      from.searchParams.set('lastEventId', began);
      const path = from.pathname + from.search;
      expect(idOf(await (await open(path)).take(1))).toBe(one);
      expect(idOf(await (await open(path, '')).take(1))).toBe(one);
      expect(idOf(await (await open(path, event?.id)).take(1))).not.toBe(one);
      from.searchParams.set('lastEventId', 'x');
      expect(idOf(await (await open(from.pathname + from.search, began)).take(1))).toBe(one);
      const bad = await askFor<ProblemBody>(from.pathname + from.search);
      expect([bad.status, bad.body.detail]).toEqual([400, 'query.lastEventId is not an id of this stream']);
      from.searchParams.set('lastEventId', '');
      expect((await open(from.pathname + from.search)).lastEventId).not.toBe(began);
    });

    test('has a head, which comes at once', async () => {
      const { status, headers, text } = await askFor(addressOf(newUser()), { method: 'HEAD' });
      expect([status, headers.get('content-type'), text]).toEqual([200, 'text/event-stream', '']);
      const path = addressOf(newUser());
      const refused = await askFor(`${path}${path.includes('?') ? '&' : '?'}lastEventId=x`, {
        method: 'HEAD',
      });
      expect([refused.status, refused.text]).toEqual([400, '']);
      expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    });
  });

  test("an id of another scope's stream, or of the feed's, is refused, and says so", async () => {
    const [mine, theirs] = [newUser(), newUser()];
    const reader = await open(scopeOf(theirs));
    await Promise.all([start(mine), start(theirs)]);
    const [event] = await reader.take(1);
    for (const id of [event?.id ?? '', reader.lastEventId]) {
      const why = "header.last-event-id is an id of another scope's stream: send one of this scope, or none";
      expect(await refusal(scopeOf(mine), id)).toEqual([400, expect.stringContaining(why)]);
      expect(await refusal(`${scopeOf(theirs)}&projectId=other`, id)).toEqual([
        400,
        expect.stringContaining(why),
      ]);
      const not = 'header.last-event-id is not an id of this stream';
      expect(await refusal('/v1/feed/stream', id)).toEqual([400, not]);
    }
    const { lastEventId } = await open('/v1/feed/stream');
    const not = 'header.last-event-id is not an id of this stream';
    expect(await refusal(scopeOf(mine), lastEventId)).toEqual([400, not]);
    // A version alone names no scope; it has been an id, and stands in every event.
    expect(idOf(await (await open(scopeOf(mine), '0')).take(1))).toBeDefined();
    const ahead = expect.stringMatching(/^header\.last-event-id is ahead of the log/);
    const beyond = (event?.id ?? '').replace(/^\d+/, '9');
    expect(await refusal(scopeOf(theirs), beyond)).toEqual([409, ahead]);
  });

  test('pages after what the ledger has not come to are refused, not empty', async () => {
    const userId = newUser();
    const { position } = await start(userId);
    const pageAfter = async (path: string, sequence: number) => {
      const { status, body } = await askFor<ProblemBody>(`${path}&after=${sequence}`);
      return [status, body.type];
    };
    const feed = `/v1/feed?partition=${position.partition}`;
    for (const [path, head] of [
      [`/v1/events?userId=${userId}`, 1],
      [feed, position.sequence],
    ] as const) {
      expect((await pageAfter(path, head))[0]).toBe(200);
      expect(await pageAfter(path, head + 1_000)).toEqual([409, '/problems/position-ahead']);
    }
    expect((await pageAfter(`/v1/events?userId=${newUser()}`, 0))[0]).toBe(200);
  });

  test('a wait for what the ledger does not know is answered at once with what there is', async () => {
    const userId = newUser();
    const { session } = await start(userId);
    const wait = (after: number, of = userId) =>
      askFor<ProblemBody>(`/v1/current?userId=${of}&wait=20&after=${after}`);
    const began = performance.now();
    expect(await wait(1_000)).toMatchObject({ status: 200, body: { sessionId: session.sessionId } });
    const never = await wait(1_000, newUser());
    expect(never).toMatchObject({ status: 404, body: { type: '/problems/no-current-session' } });
    expect(never.body.last).toBeUndefined();
    const end = { epoch: 1, origin: cloudDev, reason: 'done' };
    await askFor(`/v1/sessions/${session.sessionId}/end`, { body: end });
    expect(await wait(1_000)).toMatchObject({
      status: 404,
      body: { last: { sessionId: session.sessionId, status: 'ended' } },
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test.each([
    ['"1"', 304],
    ['W/"1"', 304],
    ['"7", W/"1"', 304],
    ['"7" , "8","1"', 304],
    ['"1", ', 304],
    ['*', 304],
    [' * ', 304],
    ['"11"', 200],
    ['"7", W/"8"', 200],
    ['"*"', 200],
    ['1', 200],
    ['', 200],
  ])('If-None-Match: %s at revision 1 is answered %i', async (ifNoneMatch, status) => {
    const userId = newUser();
    await start(userId);
    const headers = { 'if-none-match': ifNoneMatch };
    const told = await askFor(`/v1/current?userId=${userId}`, { headers });
    expect([told.status, told.headers.get('etag'), told.text === '']).toEqual([
      status,
      '"1"',
      status === 304,
    ]);
    expect((await askFor(`/v1/current?userId=${newUser()}`, { headers })).status).toBe(404);
  });

  test('HEAD is answered as GET is, without the body', async () => {
    const userId = newUser();
    const { session } = await start(userId);
    const paths = [
      `/v1/current?userId=${userId}`,
      `/v1/current?userId=${newUser()}`,
      '/v1/current',
      `/v1/current?userId=${userId}&wait=20&after=1000`,
      `/v1/sessions/${session.sessionId}`,
      `/v1/events?userId=${userId}`,
      '/v1/feed?partition=0',
      '/v1/snapshot',
      '/v1/nothing',
    ];
    for (const path of paths) {
      const [get, head] = [await askFor(path), await askFor(path, { method: 'HEAD' })];
      const shown = ({ status, headers }: typeof get) =>
        [status, headers.get('content-type'), headers.get('etag')].join(' ');
      expect([path, shown(head), head.text]).toEqual([path, shown(get), '']);
    }
    const post = await askFor(`/v1/sessions/${session.sessionId}/end`, { method: 'HEAD' });
    expect([post.status, post.text]).toEqual([405, '']);
  });
});
