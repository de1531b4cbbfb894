import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { murmur2, parseScopeKey, partitionOf, type Scope, type ScopeKey, scopeKey } from './index.js';

/** Keys and partitions as Kafka's Java client 4.1.0 computes them; other languages test against the same file. */
const published: (Scope & { key: ScopeKey; partition16: number })[] = JSON.parse(
  readFileSync(new URL('../../docs/partition-vectors.json', import.meta.url), 'utf8'),
);

/** From `org.apache.kafka.common.utils.Utils` of the same client: every length modulo 4, both signs. */
const hashes = [
  { key: '', hash: 275646681, of12: 9 },
  { key: '2', hash: 648968168, of12: 8 },
  { key: '21', hash: -973932308, of12: 0 },
  { key: 'abc', hash: 479470107, of12: 3 },
  { key: 'abcd', hash: -1323649548, of12: 8 },
  { key: 'foobar', hash: -790332482, of12: 6 },
  { key: 'a-little-bit-long-string', hash: -985981536, of12: 8 },
  { key: 'a-little-bit-longer-string', hash: -1486304829, of12: 11 },
  { key: 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', hash: -58897971, of12: 5 },
];

describe('a scope key', () => {
  test.each([
    { what: 'what RFC 3986 calls unreserved stays', part: 'Az09-._~', encoded: 'Az09-._~' },
    { what: 'dots stay dots', part: '..', encoded: '..' },
    { what: 'a slash is encoded', part: 'a/b', encoded: 'a%2Fb' },
    { what: 'a space is %20 and a plus is %2B', part: 'a b+c', encoded: 'a%20b%2Bc' },
    { what: 'a percent sign is encoded again', part: '100%2F', encoded: '100%252F' },
    { what: "!'()* are encoded too", part: "!'()*", encoded: '%21%27%28%29%2A' },
    { what: 'hex is upper-case', part: 'é', encoded: '%C3%A9' },
    { what: 'an emoji is four bytes', part: '😀', encoded: '%F0%9F%98%80' },
    { what: 'nothing is normalised', part: 'e\u0301', encoded: 'e%CC%81' },
  ])('$what: $part', ({ part, encoded }) => {
    expect(scopeKey({ tenant: part, userId: part, projectId: part })).toBe(
      `${encoded}/${encoded}/${encoded}`,
    );
  });

  test('half of a surrogate pair has no key', () => {
    expect(() => scopeKey({ tenant: 't', userId: '\ud83d', projectId: 'default' })).toThrow(URIError);
  });

  test('names its scope again, whatever the characters', () => {
    fc.assert(fc.property(anyScope, (scope) => expect(parseScopeKey(scopeKey(scope))).toEqual(scope)));
  });

  test('is made of unreserved characters, upper-case escapes and two slashes', () => {
    const part = String.raw`(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})+`;
    const form = new RegExp(`^${part}/${part}/${part}$`);
    fc.assert(fc.property(anyScope, (scope) => expect(scopeKey(scope)).toMatch(form)));
  });

  test('is shared by two scopes only when all three parts are equal', () => {
    fc.assert(
      fc.property(confusableScope, confusableScope, (one, other) => {
        const samePartForPart =
          one.tenant === other.tenant && one.userId === other.userId && one.projectId === other.projectId;
        expect(scopeKey(one) === scopeKey(other)).toBe(samePartForPart);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the partition of a scope', () => {
  test.each(published)('$key is in $partition16 of 16, as published', ({ key, partition16, ...scope }) => {
    expect(scopeKey(scope)).toBe(key);
    expect(parseScopeKey(key)).toEqual(scope);
    expect(partitionOf(key, 16)).toBe(partition16);
  });

  test.each(hashes)("'$key' hashes to $hash, as in Kafka's Java client", ({ key, hash, of12 }) => {
    expect(murmur2(key)).toBe(hash);
    expect(partitionOf(key as ScopeKey, 12)).toBe(of12);
  });

  test('is always one of those that there are', () => {
    fc.assert(
      fc.property(anyScope, fc.integer({ min: 1, max: 4096 }), (scope, partitions) => {
        const partition = partitionOf(scopeKey(scope), partitions);
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      }),
    );
  });
});

function scopeOf(part: fc.Arbitrary<string>): fc.Arbitrary<Scope> {
  return fc.record({ tenant: part, userId: part, projectId: part });
}

const anyScope = scopeOf(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }));

/** Few and short parts out of what encoding could mix up, so that two scopes are often nearly or quite equal. */
const confusableScope = scopeOf(
  fc.string({ unit: fc.constantFrom('/', '%', '2', 'F', '%2F', 'é', 'e\u0301'), minLength: 1, maxLength: 2 }),
);
