import { refused, untouchedService } from '../support/bad-input.js';
import { cloudDev } from '../support/sessions.js';

const kept = untouchedService();

const good = { userId: 'ada', owner: cloudDev };
const withValue = (path: string, json: string) => JSON.stringify(good).replace('}}', `},${path}:${json}}`);
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const start = (body: unknown, headers = {}) => refused(`${kept.service.url}/v1/sessions`, { body, headers });

const notUtf8 = Buffer.from(JSON.stringify({ ...good, userId: 'café' }), 'latin1');

const unreadable: [string, string | Uint8Array][] = [
  ['half of a document', '{"userId":"ada"'],
  ['no JSON', 'userId=ada'],
  ['nothing', ''],
  ['two documents', '{}{}'],
  ['bytes that are not UTF-8', notUtf8],
  ['NaN', withValue('"expectedEpoch"', 'NaN')],
];
test.each(unreadable)('%s is no JSON to us', async (_, body) => {
  expect(await start(body)).toMatchObject({ answer: '400 invalid-json', faults: [] });
});

const invalid: [string, string, string][] = [
  ['an array', '[]', 'body has to be of type object'],
  ['null', 'null', 'body has to be of type object'],
  ['a text', '"ada"', 'body has to be of type object'],
  ['no owner', '{"userId":"ada"}', 'body.owner is missing'],
  ['no user', '{"owner":{"environment":"x"}}', 'body.userId is missing'],
  ['an owner without environment', '{"userId":"ada","owner":{}}', 'body.owner.environment is missing'],
  ['a number for a text', '{"userId":7,"owner":{}}', 'body.userId has to be of type string'],
  ['null for a text', withValue('"projectId"', 'null'), 'body.projectId has to be of type string'],
  [
    'a text for a number',
    withValue('"expectedEpoch"', '"1"'),
    'body.expectedEpoch has to be of type integer',
  ],
  ['a fraction', withValue('"expectedEpoch"', '1.5'), 'body.expectedEpoch has to be of type integer'],
  ['less than nothing', withValue('"expectedEpoch"', '-1'), 'body.expectedEpoch has to be at least 0'],
  ['1e400', withValue('"expectedEpoch"', '1e400'), 'body.expectedEpoch has to be of type integer'],
  [
    '2^53',
    withValue('"expectedEpoch"', '9007199254740992'),
    'body.expectedEpoch has to be at most 9007199254740991',
  ],
  ['a choice that there is not', withValue('"onConflict"', '"win"'), 'one of: supersede, reject, join'],
  ['a field that nobody knows', withValue('"usrId"', '1'), 'body.usrId is not known here'],
  ['one in the owner', '{"userId":"a","owner":{"environment":"x","x":1}}', 'body.owner.x is not known here'],
  ['a constructor', withValue('"constructor"', '1'), 'body.constructor is not known here'],
  ['a __proto__ member', withValue('"__proto__"', '{"isAdmin":true}'), 'the member at /__proto__ has a name'],
  ['one in attributes', withValue('"attributes"', '{"__proto__":{"a":1}}'), 'at /attributes/__proto__ has'],
  [
    'a constructor with a prototype',
    withValue('"attributes"', '{"constructor":{"prototype":{}}}'),
    'at /attributes/constructor/prototype has',
  ],
  [
    'members twice, deep down',
    withValue('"attributes"', `${nested(9_000).replace('1', '{"b":1,"b":2}')}`),
    'the member at /attributes/a/a/a/a/a',
  ],
  [
    'an empty id',
    '{"userId":"","owner":{"environment":"x"}}',
    'body.userId has to have at least 1 character (1 to 256',
  ],
  ['attributes in an array', withValue('"attributes"', '[]'), 'body.attributes has to be of type object'],
];
test.each(invalid)('%s is told by its place', async (_, body, detail) => {
  const { answer, faults, ...told } = await start(body);
  expect([answer, faults]).toEqual(['400 invalid-request', []]);
  expect(told.detail).toContain(detail);
});

const ids: [string, string][] = [
  ['257 characters', 'x'.repeat(257)],
  ['NUL', 'a\\u0000'],
  ['a line break', 'a\\n'],
  ['DEL', 'a\\u007f'],
  ['a C1 control character', 'a\\u0085'],
  ['the first half of a surrogate pair', 'a\\ud800'],
  ['the second half', '\\udc00a'],
  ['the halves in the wrong order', '\\udc00\\ud800'],
];
test.each(ids)('an id with %s is refused wherever it stands', async (_, id) => {
  for (const body of [
    `{"userId":"${id}","owner":{"environment":"x"}}`,
    `{"userId":"u","projectId":"${id}","owner":{"environment":"x"}}`,
    `{"userId":"u","owner":{"environment":"${id}"}}`,
    `{"userId":"u","owner":{"environment":"x","instance":"${id}"}}`,
  ]) {
    expect(await start(body)).toMatchObject({ answer: '400 invalid-request', faults: [] });
  }
});

const attributes: [string, string, string][] = [
  ['over 4 KiB', `{"a":"${'x'.repeat(4_089)}"}`, '4097 bytes'],
  ['over 4 KiB in few characters', `{"a":"${'🎈'.repeat(1_100)}"}`, '4408 bytes'],
  ['nested over 8 deep', nested(9), 'nested over 8 deep'],
  ['nested ten thousand deep', nested(10_000), 'nested over 8 deep'],
  ['arrays ten thousand deep', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'nested over 8 deep'],
  ['with NUL', '{"a":"\\u0000"}', 'NUL'],
  ['with half of a surrogate pair', '{"a":["\\ud800"]}', 'surrogate'],
  ['with it in a name', '{"\\udc00":1}', 'surrogate'],
  ['with a number that no JSON can say again', '{"a":1e400}', 'the number at /attributes/a is too large'],
  ['with such a number ten thousand deep', nested(10_000).replace('1', '1e400'), 'is too large'],
];
test.each(attributes)('attributes %s are refused', async (_, json, detail) => {
  const { answer, faults, ...told } = await start(withValue('"attributes"', json));
  expect([answer, faults]).toEqual(['400 invalid-attributes', []]);
  expect(told.detail).toContain(detail);
});

test('a body over 64 KiB is refused', async () => {
  const body = withValue('"attributes"', `{"a":"${'x'.repeat(64 << 10)}"}`);
  expect(await start(body)).toMatchObject({ answer: '413 body-too-large', faults: [] });
});

test('a body has to say that it is JSON', async () => {
  const body = new TextEncoder().encode(JSON.stringify(good));
  for (const contentType of ['text/plain', 'application/xml', 'application/jsonp', 'nonsense']) {
    const answer = await start(body, { 'content-type': contentType });
    expect(answer).toMatchObject({ answer: '415 unsupported-media-type', faults: [] });
  }
  const address = `${kept.service.url}/v1/sessions`;
  const untyped = await fetch(address, { method: 'POST', body });
  expect(untyped.status).toBe(415);
  expect(await untyped.json()).toMatchObject({ type: '/problems/unsupported-media-type' });
});

const commands: [string, object, string][] = [
  ['activate', { owner: cloudDev }, 'body.epoch is missing'],
  ['rotate', { reason: 'build' }, 'body.epoch is missing'],
  ['rotate', { epoch: 1 }, 'body.reason is missing'],
  ['rotate', { epoch: 1, reason: 'Build!' }, 'body.reason has to be'],
  [
    'rotate',
    { epoch: 1, reason: 'build', successorHandle: { kind: 'k' } },
    'successorHandle.value is missing',
  ],
  ['release', {}, 'body.epoch is missing'],
  ['release', { epoch: 1, to: cloudDev, reservedSeconds: 0 }, 'body.reservedSeconds has to be at least 1'],
  ['release', { epoch: 1, reservedSeconds: 9 }, 'body.reservedSeconds needs body.to'],
  ['claim', { epoch: 1 }, 'body.owner is missing'],
  ['claim', { epoch: 1, owner: cloudDev, force: 'yes' }, 'body.force has to be of type boolean'],
  ['end', { origin: cloudDev, reason: 'r' }, 'body.epoch is missing'],
  ['end', { epoch: 1, reason: 'r' }, 'body.origin is missing'],
  ['end', { epoch: 1, origin: cloudDev }, 'body.reason is missing'],
  [
    'end',
    { epoch: 1, origin: cloudDev, reason: 'r'.repeat(65) },
    'body.reason has to have at most 64 characters (1 to 64',
  ],
];
test.each(commands)('%s with %j is refused', async (action, body, detail) => {
  const { answer, faults, ...told } = await refused(
    `${kept.service.url}/v1/sessions/${kept.sessionId}/${action}`,
    {
      body,
    },
  );
  expect([answer, faults]).toEqual(['400 invalid-request', []]);
  expect(told.detail).toContain(detail);
});
