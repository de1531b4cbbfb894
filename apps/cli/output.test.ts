import { jest } from '@jest/globals';
import { printFields, printTable } from './output.js';

test('what others wrote does nothing to a terminal', () => {
  const written: string[] = [];
  const stdout = jest
    .spyOn(process.stdout, 'write')
    .mockImplementation((text) => written.push(`${text}`) > 0);
  try {
    printTable(['name', 'n'], [['a\u001b[31mb\u009bc\n', 1]]);
    printFields({ note: '\u0007' });
  } finally {
    stdout.mockRestore();
  }
  expect(written).toEqual([
    'name                       n\n',
    'a\\u001b[31mb\\u009bc\\u000a  1\n',
    'note  \\u0007\n',
  ]);
});
