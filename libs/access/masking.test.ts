import { maskPasswords } from './masking.js';

test.each([
  ['postgres://u:s3cret@h/db', 'postgres://u:…@h/db'],
  ['postgres://u:s3c@ret@h/db', 'postgres://u:…@h/db'],
  ['postgres://:s3cret@h/db', 'postgres://:…@h/db'],
  ['postgres:/u:s3cret@h/db', 'postgres:…@h/db'],
  ['u:s3cret@h/db', 'u:…@h/db'],
  ["argument 'u:s3cret@h' is invalid", "argument 'u:…@h' is invalid"],
  ['postgres://h/db?user=u&password=s3cret&x=1', 'postgres://h/db?user=u&password=…&x=1'],
  ['host=h password=s3cret', 'host=h password=…'],
  ['postgres://u:s3cret@a/x and postgres://v:s3cret@b/y', 'postgres://u:…@a/x and postgres://v:…@b/y'],
])('%s is printed without its password', (text, masked) => {
  expect(maskPasswords(text)).toBe(masked);
});

test.each([
  'postgres://u@h:5432/db',
  'connect ECONNREFUSED 127.0.0.1:5432',
  '    at identify (file:///srv/node_modules/@nestjs/core/x.js:12:3)',
  'no mail to ada@example.org: refused',
])('nothing else changes: %s', (text) => {
  expect(maskPasswords(text)).toBe(text);
});
