import type { SessionView } from '#api/schemas';
import { execute } from '../support/database.js';
import { type DescribedAsk, describedBy } from '../support/described.js';
import { ask as askAddress } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import {
  type ChainBody,
  type CommandBody,
  cloudDebug,
  cloudDev,
  type EventsBody,
  newUser,
  type ProblemBody,
  type TransitionsBody,
} from '../support/sessions.js';

let service: Service;
let ask: DescribedAsk;
beforeAll(async () => {
  service = await startService();
  ask = await describedBy(service.url);
});

const text = ({ partition, sequence }: CommandBody['position']) => `${partition}:${sequence}`;
const start = async (userId: string, more: object = {}) =>
  (await ask<CommandBody>('/v1/sessions', { body: { userId, owner: cloudDev, ...more } })).body;
const rotate = async ({ session }: CommandBody, more: object = {}) => {
  const { sessionId, epoch } = session;
  const body = { epoch, reason: 'build', ...more };
  return (await ask<CommandBody>(`/v1/sessions/${sessionId}/rotate`, { body })).body;
};
const end = async ({ session: { sessionId, epoch } }: CommandBody) =>
  (
    await ask<CommandBody>(`/v1/sessions/${sessionId}/end`, {
      body: { epoch, origin: cloudDev, reason: 'r' },
    })
  ).body;
/** Started, then rotated so often; what each answer was. */
const chainOf = async (userId: string, length: number) => {
  const answers = [await start(userId)];
  while (answers.length < length) answers.push(await rotate(answers.at(-1)!));
  return answers;
};
const ids = (answers: { session: SessionView }[]) => answers.map(({ session }) => session.sessionId);
const pages = async (path: string, limit: number) => {
  const found: SessionView[][] = [];
  for (let after = ''; ; ) {
    const { body } = await ask<ChainBody>(`${path}&limit=${limit}${after}`);
    found.push(body.sessions);
    if (!body.next) return found;
    after = `&after=${body.next}`;
  }
};

describe('sessions of a scope', () => {
  test('come in pages, the newest first, each as it is or as it ended', async () => {
    const userId = newUser();
    const answers = await chainOf(userId, 7);
    const position = text(answers.at(-1)!.position);
    const found = await pages(`/v1/sessions?userId=${userId}&atLeast=${position}`, 3);
    expect(found.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(found.flat().map(({ sessionId }) => sessionId)).toEqual(ids(answers).reverse());
    expect(found.flat().map(({ status }) => status)).toEqual(['active', ...Array(6).fill('ended')]);
  });

  test('say what /v1/sessions/{id} says, attributes included, and where that came from', async () => {
    const userId = newUser();
    const first = await start(userId, { attributes: { a: 'ü' } });
    const second = await rotate(first, { versionId: 'v 1' });
    const { body, headers } = await ask<ChainBody>(
      `/v1/sessions?userId=${userId}&atLeast=${text(second.position)}`,
    );
    for (const { position, ...session } of body.sessions) {
      const { refusals, ...seen } = (await ask<{ refusals: object[] }>(`/v1/sessions/${session.sessionId}`))
        .body;
      expect(seen).toEqual(session);
      expect(refusals).toEqual([]);
      expect(position).toEqual(second.position);
    }
    expect(body.sessions.map(({ attributes }) => attributes)).toEqual([{ a: 'ü' }, { a: 'ü' }]);
    const [partition, sequence] = headers.get('ledger-position')!.split(':').map(Number);
    expect(partition).toBe(second.position.partition);
    expect(sequence).toBeGreaterThanOrEqual(second.position.sequence);
  });

  test('one reads one’s own writes by their Ledger-Position, in the query or in the header', async () => {
    for (let times = 0; times < 20; times++) {
      const userId = newUser();
      const { position } = await rotate(await start(userId));
      const header = { headers: { 'ledger-position': text(position) } };
      const [byQuery, byHeader] = await Promise.all([
        ask<ChainBody>(`/v1/sessions?userId=${userId}&atLeast=${text(position)}`),
        ask<ChainBody>(`/v1/sessions?userId=${userId}`, header),
      ]);
      expect(byQuery.body.sessions).toHaveLength(2);
      expect(byHeader.body).toEqual(byQuery.body);
    }
  });

  test('a position that nobody projects is waited for in vain, at most 5 s', async () => {
    const idle = await startService({ env: { LEDGER_ROLES: 'api' } });
    const userId = newUser();
    const body = { userId, owner: cloudDev };
    const { position } = (await askAddress<CommandBody>(`${idle.url}/v1/sessions`, { body })).body;
    const began = performance.now();
    const address = `${idle.url}/v1/transitions?userId=${userId}&atLeast=${text(position)}`;
    const reply = await askAddress<ProblemBody>(address);
    expect(reply).toMatchObject({
      status: 503,
      body: { type: '/problems/projection-behind', retryable: true },
    });
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(performance.now() - began).toBeGreaterThan(4_500);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('the session of a version of the project; 404 for an unknown version', async () => {
    const userId = newUser();
    const built = await rotate(await start(userId), { versionId: 'Version 1/ü' });
    const compacted = await rotate(built, { reason: 'compact' });
    const again = await rotate(compacted, { versionId: 'Version 2' });
    const of = (versionId: string, more = '') =>
      ask<ChainBody & ProblemBody>(
        `/v1/sessions?${new URLSearchParams({ userId, versionId, atLeast: text(again.position) })}${more}`,
      );
    expect(ids((await of('Version 1/ü')).body.sessions.map((session) => ({ session })))).toEqual(
      ids([built]),
    );
    expect((await of('Version 2')).body.sessions).toMatchObject([again.session]);
    expect(await of('version 2')).toMatchObject({ status: 404, body: { type: '/problems/unknown-version' } });
    expect((await ask(`/v1/sessions?userId=${newUser()}&versionId=v`)).status).toBe(404);
  });

  test('a scope of which nobody has heard has none', async () => {
    for (const [path, name] of [
      ['sessions', 'sessions'],
      ['chain', 'sessions'],
      ['transitions', 'transitions'],
    ]) {
      expect((await ask(`/v1/${path}?userId=${newUser()}`)).body).toEqual({ [name!]: [] });
    }
  });
});

describe('a chain', () => {
  test('goes from the current session to its root, in pages', async () => {
    const userId = newUser();
    await chainOf(userId, 2); // another chain of the same scope
    const answers = await chainOf(userId, 7);
    const path = `/v1/chain?userId=${userId}&atLeast=${text(answers.at(-1)!.position)}`;
    const found = await pages(path, 3);
    expect(found.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(found.flat().map(({ sessionId }) => sessionId)).toEqual(ids(answers).reverse());
    expect(found.flat().map(({ chainLength }) => chainLength)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await pages(path, 7)).toHaveLength(1);
  });

  test('of the latest session when none is current, or of a session by its id', async () => {
    const userId = newUser();
    const old = await chainOf(userId, 3);
    const { position } = await end((await chainOf(userId, 2))[1]!);
    const path = `/v1/chain?userId=${userId}&atLeast=${text(position)}`;
    const latest = (await ask<ChainBody>(path)).body.sessions;
    expect(latest.map(({ status, endCause }) => [status, endCause])).toEqual([
      ['ended', 'ended'],
      ['ended', 'rotated'],
    ]);
    const named = (await ask<ChainBody>(`${path}&sessionId=${old[1]!.session.sessionId}`)).body.sessions;
    expect(named.map(({ sessionId }) => sessionId)).toEqual(ids(old.slice(0, 2)).reverse());
  });

  test('404 for a session of another scope', async () => {
    const [mine, other] = [newUser(), newUser()];
    const { session, position } = await start(other);
    await ask(`/v1/chain?userId=${other}&atLeast=${text(position)}`);
    const reply = await ask<ProblemBody>(`/v1/chain?userId=${mine}&sessionId=${session.sessionId}`);
    expect(reply).toMatchObject({ status: 404, body: { type: '/problems/unknown-session' } });
  });

  test('asOf: as it was then, its tip still active', async () => {
    const userId = newUser();
    const answers = await chainOf(userId, 5);
    await end(answers.at(-1)!);
    const asOf = text(answers[2]!.position);
    const { sessions } = (await ask<ChainBody>(`/v1/chain?userId=${userId}&asOf=${asOf}`)).body;
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(ids(answers.slice(0, 3)).reverse());
    expect(sessions[0]).toEqual({ ...answers[2]!.session, position: answers[2]!.position });
    const paged = await pages(`/v1/chain?userId=${userId}&asOf=${asOf}`, 2);
    expect(paged.map((page) => page.map(({ sessionId }) => sessionId))).toEqual([
      ids([answers[2]!, answers[1]!]),
      ids([answers[0]!]),
    ]);
    const before = `${answers[0]!.position.partition}:0`;
    expect((await ask(`/v1/chain?userId=${userId}&asOf=${before}`)).body).toEqual({ sessions: [] });
  });
});

describe('what was used', () => {
  const usage = (amount: string, currency: string) => ({ inputTokens: 10, cost: { amount, currency } });
  const report = async ({ session: { sessionId } }: CommandBody, used: object) =>
    (await ask<CommandBody>(`/v1/sessions/${sessionId}/usage`, { body: { usage: used } })).body;
  const totals = (operations: number, cost: Record<string, string>, inputTokens = 10 * operations) => ({
    ...{ operations, inputTokens, outputTokens: 0, cachedTokens: 0, durationMs: 0, cost },
  });
  const read = async (path: string) => {
    const { status, body, headers } = await ask<ChainBody>(path);
    expect([status, headers.get('ledger-position')]).toEqual([200, expect.stringMatching(/^\d+:\d+$/)]);
    return body;
  };

  test('in a chain and in a scope is summed exactly, each currency apart, late reports included', async () => {
    const userId = newUser();
    const first = await start(userId);
    const second = await rotate(first, { usage: usage('0.1', 'EUR') });
    const third = await rotate(second, { usage: usage('0.2', 'EUR') });
    const root = await rotate(third, { usage: usage('3', 'USD'), reason: 'reset' });
    await report(root, usage('1000', 'JPY'));
    const { position } = await report(first, usage('0.000000001', 'EUR'));
    const query = `userId=${userId}&atLeast=${text(position)}`;
    expect((await read(`/v1/chain?${query}`)).usage).toEqual(totals(1, { JPY: '1000' }));
    const old = `/v1/chain?${query}&sessionId=${third.session.sessionId}`;
    expect((await read(old)).usage).toEqual(totals(4, { EUR: '0.300000001', USD: '3' }));
    const page = await read(`${old}&limit=1`);
    expect((await read(`${old}&limit=1&after=${page.next}`)).usage).toEqual(page.usage);
    const scope = await ask(`/v1/usage?${query}`);
    expect(scope.body).toEqual({ usage: totals(5, { EUR: '0.300000001', JPY: '1000', USD: '3' }) });
    expect((await ask(`/v1/usage?userId=${newUser()}`)).body).toEqual({ usage: totals(0, {}) });
  });

  test('asOf: then, and not what came later, in sums and in every session', async () => {
    const userId = newUser();
    const first = await start(userId);
    const second = await rotate(first, { usage: usage('1', 'EUR') });
    const early = await report(first, usage('2', 'EUR'));
    const { events } = (await ask<EventsBody>(`/v1/events?userId=${userId}`)).body;
    await new Promise((resolve) => setTimeout(resolve, 5)); // so that its millisecond is over
    await report(first, usage('4', 'USD'));
    const invalid = { epoch: 1, certainty: 'definite', reason: 'context lost' };
    await ask(`/v1/sessions/${first.session.sessionId}/invalid`, { body: invalid });
    await report(second, usage('8', 'EUR'));
    const third = await rotate(second);
    for (const asOf of [text(early.position), events.at(-1)!.time]) {
      const then = new URLSearchParams({ userId, asOf });
      const { sessions, usage: used } = await read(`/v1/chain?${then}`);
      expect(used).toEqual(totals(2, { EUR: '3' }));
      expect(sessions.map(({ position: _, ...session }) => session)).toEqual([second.session, early.session]);
      expect(sessions[1]?.position).toEqual(early.position);
      expect(await read(`/v1/usage?${then}`)).toEqual({ usage: totals(2, { EUR: '3' }) });
    }
    const atStart = `/v1/usage?userId=${userId}&asOf=${text(first.position)}`;
    expect(await read(atStart)).toEqual({ usage: totals(0, {}) });
    const now = `userId=${userId}&atLeast=${text(third.position)}`;
    expect((await read(`/v1/usage?${now}`)).usage).toEqual(totals(4, { EUR: '11', USD: '4' }));
    expect((await read(`/v1/chain?${now}`)).sessions[2]).toMatchObject({
      invalid: { reason: 'context lost' },
    });
    const future = `${third.position.partition}:${third.position.sequence + 1_000_000}`;
    expect((await ask(`/v1/usage?userId=${userId}&asOf=${future}`)).status).toBe(400);
  });
});

test('transitions tell each change of what is current: why, from which to which, by whom', async () => {
  const userId = newUser();
  const first = await start(userId);
  const second = await rotate(first, { versionId: 'v1' });
  const third = await start(userId, { owner: cloudDebug });
  const { sessionId, epoch } = third.session;
  const stop = { epoch, origin: cloudDebug, reason: 'user-left' };
  const { position } = (await ask<CommandBody>(`/v1/sessions/${sessionId}/end`, { body: stop })).body;
  const path = `/v1/transitions?userId=${userId}&atLeast=${text(position)}`;
  const { transitions } = (await ask<TransitionsBody>(path)).body;
  const [one, two, three] = ids([first, second, third]);
  expect(transitions).toMatchObject([
    { source: 'ended', from: three, by: cloudDebug, reason: 'user-left', position },
    { source: 'superseded', from: two, to: three, by: cloudDebug },
    { source: 'rotated', from: one, to: two, by: cloudDev, reason: 'build', versionId: 'v1' },
    { source: 'started', to: one, by: cloudDev, position: first.position },
  ]);
  expect(transitions[0]).not.toHaveProperty('to');
  expect(transitions[3]).not.toHaveProperty('from');
  const page = (await ask<TransitionsBody>(`${path}&limit=3`)).body;
  expect(page.transitions).toEqual(transitions.slice(0, 3));
  const rest = (await ask<TransitionsBody>(`${path}&limit=3&after=${page.next}`)).body;
  expect(rest).toEqual({ transitions: transitions.slice(3) });
});

describe('the current session as of', () => {
  test('a position: what a reader got then', async () => {
    const userId = newUser();
    const first = await start(userId, { attributes: { step: 1 } });
    const second = await rotate(first);
    const ended = await end(second);
    const at = (position: CommandBody['position']) =>
      ask<SessionView | ProblemBody>(`/v1/current?userId=${userId}&asOf=${text(position)}`);
    expect((await at(first.position)).body).toEqual(first.session);
    expect((await at(second.position)).body).toEqual(second.session);
    expect((await at(second.position)).headers.get('ledger-position')).toBe(text(second.position));
    const gone = await at(ended.position);
    expect(gone).toMatchObject({ status: 404, body: { type: '/problems/no-current-session' } });
    expect((gone.body as ProblemBody).last).toEqual(ended.session);
    const before = await at({ ...first.position, sequence: 0 });
    expect(before).toMatchObject({ status: 404, body: { type: '/problems/no-current-session' } });
    expect((before.body as ProblemBody).last).toBeUndefined();
  });

  test('a time, in any zone', async () => {
    const userId = newUser();
    const [first] = await chainOf(userId, 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await start(userId);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const at = async (asOf: string) =>
      (await ask<SessionView>(`/v1/current?${new URLSearchParams({ userId, asOf })}`)).body.sessionId;
    const { startedAt } = second.session;
    expect(await at(startedAt)).toBe(second.session.sessionId);
    expect(await at(startedAt.replace(/Z$/, '999z'))).toBe(second.session.sessionId);
    const east = new Date(Date.parse(startedAt) + 5.5 * 3_600_000).toISOString().replace('Z', '+05:30');
    expect(await at(east)).toBe(second.session.sessionId);
    const justBefore = new Date(Date.parse(startedAt) - 1).toISOString();
    expect(await at(justBefore)).not.toBe(second.session.sessionId);
    expect(await at(first!.session.startedAt)).toBeDefined();
  });

  test('a time before all ledgers: nothing was current', async () => {
    const userId = newUser();
    await start(userId);
    for (const asOf of ['0000-01-01T00:00:00Z', '1969-12-31T23:59:59.999Z', '1970-01-01T00:00:00-23:59']) {
      const reply = await ask<ProblemBody>(`/v1/current?${new URLSearchParams({ userId, asOf })}`);
      expect(reply).toMatchObject({ status: 404, body: { type: '/problems/no-current-session' } });
    }
  });

  test('attributes as they were, `erased` once they are gone', async () => {
    const userId = newUser();
    const first = await start(userId, { attributes: { step: 1 } });
    const { sessionId } = first.session;
    const body = { epoch: 1, attributes: { step: 2 } };
    await ask(`/v1/sessions/${sessionId}/attributes`, { method: 'PATCH', body });
    const then = `/v1/current?userId=${userId}&asOf=${text(first.position)}`;
    expect((await ask<SessionView>(then)).body.attributes).toEqual({ step: 1 });
    const { attributesDigest } = first.session;
    await execute(service.databaseUrl, `delete from ledger.details where digest = '${attributesDigest}'`);
    expect((await ask<SessionView>(then)).body.attributes).toBe('erased');
    const { sessions } = (await ask<ChainBody>(then.replace('current', 'chain'))).body;
    expect(sessions).toMatchObject([{ sessionId, attributes: 'erased' }]);
  });

  test('the future, or another partition: 400', async () => {
    const userId = newUser();
    const { position } = await start(userId);
    const future = `${position.partition}:${position.sequence + 1_000_000}`;
    const foreign = `${(position.partition + 1) % 16}:1`;
    for (const asOf of [future, foreign]) {
      const reply = await ask<ProblemBody>(`/v1/current?userId=${userId}&asOf=${asOf}`);
      expect(reply).toMatchObject({ status: 400, body: { type: '/problems/invalid-request' } });
    }
  });
});

test('after a kill -9 what was written before is projected, too', async () => {
  const killed = await startService();
  const userId = newUser();
  const body = { userId, owner: cloudDev };
  await Promise.all(
    Array.from({ length: 50 }, () => askAddress<CommandBody>(`${killed.url}/v1/sessions`, { body })),
  );
  await killed.restart();
  const current = (await askAddress<SessionView>(`${killed.url}/v1/current?userId=${userId}`)).body;
  const { body: last } = await askAddress<CommandBody>(`${killed.url}/v1/sessions`, { body });
  const path = `${killed.url}/v1/sessions?userId=${userId}&limit=500&atLeast=${text(last.position)}`;
  const { sessions } = (await askAddress<ChainBody>(path)).body;
  expect(sessions).toHaveLength(51);
  expect(sessions[1]?.sessionId).toBe(current.sessionId);
  expect(killed.process.errors).toEqual([]);
});
