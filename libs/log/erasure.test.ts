import type { Answer } from '#api';
import type { Session } from '#session';
import { History, type LedgerWriter, UserScopes } from './index.js';
import { openTestLedger, type TestLedger } from './testing/ledger.js';
import { brokenPromises } from './testing/promises.js';
import { readLog } from './testing/stored-log.js';
import {
  end,
  erase,
  forSession,
  keyed,
  newPlace,
  type Place,
  placeOf,
  rotate,
  sessionOf,
  start,
  withAttributes,
} from './testing/submissions.js';

let ledger: TestLedger;
let writer: LedgerWriter;
let history: History;
let scopes: UserScopes;
beforeEach(async () => {
  ledger = await openTestLedger();
  writer = ledger.writer();
  history = new History(ledger.servicePool(2));
  scopes = new UserScopes(ledger.servicePool(2));
});
afterEach(async () => {
  expect(await brokenPromises(ledger.pool)).toEqual([]);
  await ledger.close();
});

const begin = async (place: Place, body = '{"name":"Ada"}') =>
  sessionOf(await writer.submit(withAttributes(start(place), body)));
const patch = async (session: Session, json: Record<string, string>) => {
  const change = forSession(session, { type: 'ChangeAttributes', attributesDigest: undefined });
  return sessionOf(await writer.submit({ ...change, patch: json }));
};
const attributesOf = ({ sessionId, attributesDigest = '' }: Session) =>
  history.attributes(Number.parseInt(sessionId.slice(15, 18), 16), attributesDigest, 'acme');
const stored = async () =>
  (await ledger.pool.query('select body, salt from ledger.details')).rows.map(({ body }) => body);

test('all details of the scope go, of history, too; those of other scopes stay', async () => {
  const [place, other] = [newPlace(ledger.partitions), newPlace(ledger.partitions)];
  const first = await begin(place);
  const changed = await patch(await begin(place, '{"a":"1"}'), { a: '2' });
  const rotated = sessionOf(await writer.submit(rotate(changed)));
  const spared = await begin(other, '{"name":"Bob"}');

  const answer = await writer.submit(erase(place));
  expect(answer).toMatchObject({
    kind: 'accepted',
    outcome: 'erased',
    session: { ...rotated, revision: rotated.revision + 1 },
  });
  expect(await stored()).toEqual(['{"name":"Bob"}']);
  for (const session of [first, changed, rotated]) expect(await attributesOf(session)).toBeUndefined();
  expect(await attributesOf(spared)).toBe('{"name":"Bob"}');
});

test('what stood in the log stands there as before, byte by byte, and its trees grow by the erasure alone', async () => {
  const place = newPlace(ledger.partitions);
  sessionOf(await writer.submit(rotate(await begin(place))));
  const before = await readLog(ledger.pool);
  await writer.submit(erase(place));
  const after = await readLog(ledger.pool);
  expect(after.slice(0, -1)).toEqual(before);
  expect(after.at(-1)).toMatchObject({
    type: 'DetailsErased',
    event: { operator: 'operator', session: { status: 'active' } },
  });
  expect(after.map(({ bytes }) => bytes.toString()).join('')).not.toContain('Ada');
});

test('again is unchanged, makes no event, and tells the position', async () => {
  const place = newPlace(ledger.partitions);
  await begin(place);
  const { position } = (await writer.submit(erase(place))) as { position: object };
  expect(await writer.submit(erase(place))).toMatchObject({ outcome: 'unchanged', position });
  expect((await readLog(ledger.pool)).map(({ type }) => type)).toEqual(['SessionStarted', 'DetailsErased']);
});

test('within one batch each command sees what those before it left', async () => {
  const place = newPlace(ledger.partitions);
  const answers = await Promise.all(
    [
      withAttributes(start(place), '{"n":1}'),
      erase(place),
      erase(place),
      withAttributes(start(place), '{"n":2}'),
    ].map((one) => writer.submit(one)),
  );
  expect(answers.map((answer) => 'outcome' in answer && answer.outcome)).toEqual([
    'started',
    'erased',
    'unchanged',
    'started',
  ]);
  expect(await stored()).toEqual(['{"n":2}']);
  await Promise.all([erase(place), withAttributes(start(place), '{"n":3}')].map((one) => writer.submit(one)));
  expect(await stored()).toEqual(['{"n":3}']);
});

test('a patch is merged into what is there, also beside a start of its batch that asks for no attributes', async () => {
  const place = newPlace(ledger.partitions);
  const session = await begin(place);
  const [refused, changed] = await Promise.all([
    writer.submit(start(place, { expectedEpoch: 9 })),
    patch(session, { n: '1' }),
  ]);
  expect(refused).toMatchObject({ kind: 'refused', refusal: { current: { sessionId: session.sessionId } } });
  expect(await attributesOf(changed)).toBe('{"name":"Ada","n":"1"}');
});

test('a patch in the same batch starts from nothing, like a later one', async () => {
  const place = newPlace(ledger.partitions);
  const session = await begin(place, '{"name":"Ada","n":"1"}');
  const [, changed] = await Promise.all([writer.submit(erase(place)), patch(session, { n: '2' })]);
  expect(await attributesOf(changed)).toBe('{"n":"2"}');
  await writer.submit(erase(place));
  expect(await attributesOf(await patch(changed, { m: '3' }))).toBe('{"m":"3"}');
});

test('of a session that has ended', async () => {
  const place = newPlace(ledger.partitions);
  const session = await begin(place);
  await writer.submit(end(session));
  expect(await writer.submit(erase(place))).toMatchObject({ outcome: 'erased', session: { epoch: 2 } });
  expect(await attributesOf(session)).toBeUndefined();
});

test('the answer of a start that is repeated by its key names details that are gone', async () => {
  const place = newPlace(ledger.partitions);
  const submission = keyed(withAttributes(start(place), '{"a":1}'), 'key');
  const session = sessionOf(await writer.submit(submission));
  await writer.submit(erase(place));
  const repeated = await writer.submit(keyed(withAttributes(start(place), '{"a":1}'), 'key'));
  expect(repeated).toMatchObject({ outcome: 'started', replayed: true, session });
  expect(await attributesOf(sessionOf(repeated))).toBeUndefined();
});

test('nor does a start that its key replays in the same batch show what goes with that', async () => {
  const [place, other] = [newPlace(ledger.partitions), newPlace(ledger.partitions)];
  const first = (to: Place, key: string) => keyed(withAttributes(start(to), '{"a":1}'), key);
  for (const [to, key] of [
    [place, 'gone'],
    [other, 'kept'],
  ] as const) {
    await writer.submit(first(to, key));
    await begin(to); // the key's session is over: its attributes are read for the answer alone
  }
  const [, gone, kept] = await Promise.all(
    [erase(place), first(place, 'gone'), first(other, 'kept')].map((one) => writer.submit(one)),
  );
  const shown = (answer?: Answer) =>
    answer?.kind === 'accepted' && answer.attributes?.get(answer.session.attributesDigest ?? '');
  expect([gone, kept]).toMatchObject([{ replayed: true }, { replayed: true }]);
  expect([shown(gone), shown(kept)]).toEqual([undefined, '{"a":1}']);
});

test('nor one that the batch itself had obeyed before', async () => {
  const place = newPlace(ledger.partitions);
  const first = () => keyed(withAttributes(start(place), '{"a":1}'), 'key');
  const second = withAttributes(start(place), '{"b":2}');
  const batch = [first(), second, erase(place), first()];
  const answers = await Promise.all(batch.map((one) => writer.submit(one)));
  const repeated = answers[3] as Extract<Answer, { kind: 'accepted' }>;
  expect(repeated).toMatchObject({ replayed: true, session: sessionOf(answers[0] as Answer) });
  const shown = [repeated.session, sessionOf(answers[1] as Answer)].map(({ attributesDigest = '' }) =>
    repeated.attributes?.get(attributesDigest),
  );
  expect(shown).toEqual([undefined, undefined]);
});

test('needs operate', async () => {
  const place = newPlace(ledger.partitions);
  await begin(place);
  const submission = erase(place);
  const command = { ...submission.command, operate: false };
  expect(await writer.submit({ ...submission, command })).toMatchObject({
    kind: 'refused',
    refusal: { code: 'operate-required' },
  });
  expect(await stored()).toHaveLength(1);
});

test('a lease goes on as it was', async () => {
  const place = newPlace(ledger.partitions);
  const lease = { seconds: 30, graceSeconds: 5, renewOn: 'heartbeat', onLapse: 'release' } as const;
  await writer.submit(withAttributes(start(place, { lease }), '{"a":1}'));
  const until = async () => (await ledger.pool.query('select until, check_at from ledger.leases')).rows;
  const before = await until();
  await writer.submit(erase(place));
  expect(await until()).toEqual(before);
});

describe("a user's scopes", () => {
  test('that have details are found, those of others and of other tenants are not', async () => {
    const projects = ['default', 'a/b', 'проект', 'x'].map((projectId) =>
      placeOf(ledger.partitions, 'ada', { projectId }),
    );
    for (const place of projects.slice(0, 3)) await begin(place);
    await writer.submit(start(projects[3] as Place));
    for (const place of [
      placeOf(ledger.partitions, 'ada2'),
      placeOf(ledger.partitions, 'ad'),
      placeOf(ledger.partitions, 'ada', { tenant: 'other' }),
    ])
      await begin(place);
    const key = placeOf(ledger.partitions, 'ada', { projectId: 'never' }).scopeKey;
    const found = await scopes.detailed(key, 10);
    expect(found.sort()).toEqual(
      projects
        .slice(0, 3)
        .map(({ scopeKey }) => scopeKey)
        .sort(),
    );
    expect(await scopes.detailed(key, 2)).toHaveLength(2);
  });

  test('are told from those of a user with the same four bytes of hash', async () => {
    // SHA-256 of `acme/<user>` begins with the same eight hex digits for both.
    const [one, other] = ['user-fo9', 'user-2711'];
    const mine = placeOf(ledger.partitions, one);
    const theirs = placeOf(ledger.partitions, other);
    await begin(mine);
    await begin(theirs);
    expect(await scopes.detailed(mine.scopeKey, 10)).toEqual([mine.scopeKey]);
    expect(await scopes.current(theirs.scopeKey, { partition: 0, scopeId: '0'.repeat(32) }, 10)).toHaveLength(
      1,
    );
  });
});
