import { bothLedgers, type Ledger } from '../support/both-ledgers.js';
import { ask } from '../support/http.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';

/** A caller's trace goes on in the events that it caused: told to both ledgers. */

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OTHER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

let ledgers: Ledger[];
beforeAll(async () => {
  ledgers = await bothLedgers();
});

const asking = (ledger: Ledger, userId: string) => ({
  start: (headers: Record<string, string>, more: object = {}) =>
    ask<CommandBody>(`${ledger.url}/v1/sessions`, {
      body: { userId, owner: cloudDev, ...more },
      headers,
      send: ledger.fetch,
    }),
  post: (path: string, body: object, headers: Record<string, string> = {}) =>
    ask(`${ledger.url}${path}`, { body, headers, send: ledger.fetch }),
  traces: async (): Promise<(string | undefined)[]> => {
    const { body } = await ask<{ events: { traceparent?: string }[] }>(
      `${ledger.url}/v1/events?userId=${userId}`,
      { send: ledger.fetch },
    );
    return body.events.map(({ traceparent }) => traceparent);
  },
});

test.each([0, 1])('the events of a command carry its trace, those of others none (%i)', async (which) => {
  const { start, traces } = asking(ledgers[which]!, newUser());
  await start({ traceparent: TRACE });
  await start({ traceparent: OTHER }, { owner: cloudDebug });
  await start({});
  expect(await traces()).toEqual([TRACE, OTHER, OTHER, undefined, undefined]);
});

test.each([0, 1])('a repeat under another trace is the same request (%i)', async (which) => {
  const { start, traces } = asking(ledgers[which]!, newUser());
  const key = { 'idempotency-key': newUser() };
  const first = await start({ ...key, traceparent: TRACE });
  const again = await start({ ...key, traceparent: OTHER });
  const without = await start(key);
  expect([first.status, again.status, without.status]).toEqual([201, 201, 201]);
  expect(again.body).toEqual(first.body);
  expect(await traces()).toEqual([TRACE]);
});

test.each([0, 1])('commands in one request share its trace (%i)', async (which) => {
  const userId = newUser();
  const { post, traces } = asking(ledgers[which]!, userId);
  const start = { operation: 'startSession', body: { userId, owner: cloudDev } };
  await post('/v1/commands', { commands: [start] }, { traceparent: TRACE });
  expect(await traces()).toEqual([TRACE]);
});

test.each([
  ['of a later version: its known part is kept', `cc-${TRACE.slice(3)}-what-the-future-adds`, TRACE],
  ['with more behind it than version 00 has', `${TRACE}-more`, undefined],
  ['in capitals', TRACE.toUpperCase(), undefined],
  ['of no trace', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, undefined],
  ['of no parent', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`, undefined],
  ['of a version that is none', `ff-${TRACE.slice(3)}`, undefined],
  ['that would end its string', `${TRACE.slice(0, 53)}"}`, undefined],
  ['that is empty', '', undefined],
])('a traceparent %s', async (_, sent, kept) => {
  for (const ledger of ledgers) {
    const { start, traces } = asking(ledger, newUser());
    expect((await start({ traceparent: sent })).status).toBe(201);
    expect(await traces()).toEqual([kept]);
  }
});

test('what is dropped is counted', async () => {
  const [service] = ledgers;
  const dropped = async () =>
    Number(
      /^ledger_traceparents_dropped_total (\d+)$/m.exec((await ask(`${service!.url}/metrics`)).text)?.[1],
    );
  const before = await dropped();
  const { start } = asking(service!, newUser());
  await start({ traceparent: 'none' });
  await start({ traceparent: TRACE });
  expect(await dropped()).toBe(before + 1);
});
