import { refused, untouchedService } from '../support/bad-input.js';
import { cloudDev, newUser } from '../support/sessions.js';

const kept = untouchedService();

const send = (action: string, body: unknown) =>
  refused(`${kept.service.url}/v1/sessions/${kept.sessionId}/${action}`, { body });

const eur = (amount: unknown) => ({ cost: { amount, currency: 'EUR' } });
const reports: [string, unknown, string][] = [
  ['nothing', {}, 'body.usage is not valid (What one operation used'],
  ['a list', [], 'body.usage has to be of type object'],
  ['less than nothing', { inputTokens: -1 }, 'body.usage.inputTokens has to be at least 0'],
  ['half a token', { outputTokens: 0.5 }, 'body.usage.outputTokens has to be of type integer'],
  ['2^53 tokens', { cachedTokens: 2 ** 53 }, 'body.usage.cachedTokens has to be at most 9007199254740991'],
  ['tokens as text', { inputTokens: '12' }, 'body.usage.inputTokens has to be of type integer'],
  ['a negative duration', { durationMs: -5 }, 'body.usage.durationMs has to be at least 0'],
  ['an endless duration', { durationMs: null }, 'body.usage.durationMs has to be of type integer'],
  ['what nobody knows', { tokens: 1 }, 'body.usage.tokens is not known here'],
  ['a model without name', { model: '' }, 'body.usage.model has to have at least 1 character'],
  ['a model of 129 characters', { model: 'm'.repeat(129) }, 'body.usage.model has to have at most 128'],
  [
    'a model with a control character',
    { model: 'a\u0007' },
    'body.usage.model has to be: 1 to 128 characters',
  ],
  ['a cost as a truth', eur(true), 'body.usage.cost.amount has to be of type string or number'],
  ['a negative number', eur(-0.1), 'body.usage.cost.amount has to be at least 0 (A decimal'],
  ['a negative cost', eur('-0.1'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost with a plus', eur('+1'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost with half an exponent', eur('1e'), 'body.usage.cost.amount has to be: A decimal'],
  ['a cost with a comma', eur('1,50'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost without a digit', eur('.'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost that starts with the point', eur('.5'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost that ends with the point', eur('5.'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost with leading zeros', eur('007'), 'body.usage.cost.amount has to be: A decimal, such as'],
  [
    'a cost of 31 decimals',
    eur('1e-31'),
    'body.usage.cost.amount has to have at most 18 digits before the point and 30',
  ],
  ['a cost of 19 digits', eur('1234567890123456789'), 'body.usage.cost.amount has to have at most 18 digits'],
  ['a cost with a line end', eur('1\n'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost in other digits', eur('١'), 'body.usage.cost.amount has to be: A decimal, such as'],
  ['a cost without currency', { cost: { amount: '1' } }, 'body.usage.cost.currency is missing'],
  ['euros', { cost: { amount: '1', currency: 'euro' } }, 'body.usage.cost.currency has to be: ISO 4217'],
  [
    'two currencies',
    {
      cost: [
        { amount: '1', currency: 'EUR' },
        { amount: '1', currency: 'USD' },
      ],
    },
    'body.usage.cost has to be of type object',
  ],
];
test.each(reports)('usage: %s is refused, by itself and with a rotation', async (_, usage, detail) => {
  for (const [action, body] of [
    ['usage', { usage }],
    ['rotate', { epoch: 1, reason: 'build', usage }],
  ] as const) {
    const { answer, faults, ...told } = await send(action, body);
    expect([answer, faults]).toEqual(['400 invalid-request', []]);
    expect(told.detail).toContain(detail);
  }
});

const definite = { epoch: 1, certainty: 'definite', reason: 'lost' };
const commands: [string, unknown, string][] = [
  ['usage', {}, 'body.usage is missing'],
  ['usage', { usage: { inputTokens: 1 }, epoch: 1 }, 'body.epoch is not known here'],
  ['checkpoints', {}, 'body.label is missing'],
  ['checkpoints', { label: '' }, 'body.label has to have at least 1 character'],
  ['checkpoints', { label: 'x'.repeat(129) }, 'body.label has to have at most 128 characters'],
  ['checkpoints', { label: 'a\u0000b' }, 'body.label has to be: 1 to 128 characters'],
  ['checkpoints', { label: 7 }, 'body.label has to be of type string'],
  ['invalid', { ...definite, epoch: undefined }, 'body.epoch is missing'],
  ['invalid', { ...definite, certainty: undefined }, 'body.certainty is missing'],
  ['invalid', { ...definite, certainty: 'perhaps' }, 'body.certainty has to be one of: definite, transient'],
  ['invalid', { ...definite, reason: undefined }, 'body.reason is missing'],
  ['invalid', { ...definite, reason: 'r'.repeat(65) }, 'body.reason has to have at most 64'],
  ['invalid', { ...definite, fallback: 'hope' }, 'body.fallback has to be one of: latest-valid, start-fresh'],
  ['rotate', { epoch: 1, reason: 'r'.repeat(65) }, 'body.reason has to have at most 64'],
  ['rotate', { epoch: 1, reason: 'has space' }, 'body.reason has to be'],
];
test.each(commands)('%s with %j is refused', async (action, body, detail) => {
  const { answer, faults, ...told } = await send(action, body);
  expect([answer, faults]).toEqual(['400 invalid-request', []]);
  expect(told.detail).toContain(detail);
});

const policies: [string, unknown, string][] = [
  ['nothing', {}, 'body.policy is not valid (What holds for the chain'],
  ['a length of 0', { maxChainLength: 0 }, 'body.policy.maxChainLength has to be at least 1'],
  [
    'a length over 100,000',
    { maxChainLength: 100_001 },
    'body.policy.maxChainLength has to be at most 100000',
  ],
  ['advice at 0', { adviseAt: 0 }, 'body.policy.adviseAt has to be at least 1'],
  ['advice beyond the length', { maxChainLength: 5, adviseAt: 6 }, 'body.policy.adviseAt must be <='],
  ['something else', { maxChainLength: 5, advice: 'none' }, 'body.policy.advice is not known here'],
];
test.each(policies)('a policy of %s is refused', async (_, policy, detail) => {
  const body = { userId: newUser(), owner: cloudDev, policy };
  const { answer, faults, ...told } = await refused(`${kept.service.url}/v1/sessions`, { body });
  expect([answer, faults]).toEqual(['400 invalid-request', []]);
  expect(told.detail).toContain(detail);
});

test('a list of checkpoints needs a user', async () => {
  const { answer, detail, faults } = await refused(`${kept.service.url}/v1/checkpoints`);
  expect([answer, detail, faults]).toEqual(['400 invalid-request', 'query.userId is missing', []]);
});
