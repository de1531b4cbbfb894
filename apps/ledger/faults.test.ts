import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Faults, mask } from './faults.js';

const sessionId = '01a1fcfb-6a70-7006-bf7c-83b316347a11';
let lines: string[];
beforeEach(() => {
  lines = [];
  const take = (line: string) => void lines.push(line);
  for (const level of ['error', 'warn', 'log'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(take);
  }
});
afterEach(() => jest.restoreAllMocks());

test('of a session id only its end is told, wherever and however it stands', () => {
  expect(mask(`${sessionId} and ${sessionId.toUpperCase()}`)).toBe('…7a11 and …7A11');
  expect(mask('nothing to hide')).toBe('nothing to hide');
});

test('every line is masked', () => {
  const faults = new Faults();
  faults.report('writer', Object.assign(new Error(`no session ${sessionId}`), { code: '23505' }));
  for (const level of ['info', 'warn', 'error'] as const) faults.log(level, `about ${sessionId}`);
  expect(lines).toEqual(['writer: 23505 no session …7a11', ...Array(3).fill('about …7a11')]);
});

test("of an error its code and message are told, and nothing of its data or the caller's", () => {
  const data = { detail: 'Key (user)=(ada) exists', parameters: ['ada'], cause: new Error('ada') };
  new Faults().report('writer', Object.assign(new Error('duplicate key'), data));
  new Faults().report('reader', undefined);
  expect(lines).toEqual(['writer: duplicate key', 'reader: undefined']);
});

test('what a request ran into is told with its id', () => {
  new Faults().report('request', new Error('broken'), '0af7651916cd43dd8448eb211c80319c');
  expect(lines).toEqual(['request: broken (request 0af7651916cd43dd8448eb211c80319c)']);
});

test('what Postgres quotes of data that it cannot read is left out', () => {
  const [unread, duplicate] = [
    Object.assign(new Error('value "ada "1"\n" is out of range for type integer'), { code: '22003' }),
    Object.assign(new Error('duplicate key value violates "events_pkey"'), { code: '23505' }),
  ];
  for (const error of [unread, duplicate]) new Faults().report('writer', error);
  expect(lines).toEqual([
    'writer: 22003 value "…" is out of range for type integer',
    'writer: 23505 duplicate key value violates "events_pkey"',
  ]);
});

test('the same kind of fault is told once in five seconds, another kind at once', () => {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(100_000);
  const faults = new Faults();
  const fail = (where: string) => faults.report(where, new Error('gone'));
  expect(['tail', 'tail', 'writer'].map(fail)).toEqual([true, false, true]);
  expect(lines).toEqual(['tail: gone', 'writer: gone']);
  clock.mockReturnValue(105_000);
  fail('tail');
  expect(lines).toHaveLength(3);
});
