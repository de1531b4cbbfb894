import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { leafHash, nodeHash } from './index.js';

const bytes = fc.uint8Array({ maxLength: 2_000 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });

function plainSha256(...parts: Uint8Array[]): string {
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

test('a leaf is SHA-256 of 0x00 and its bytes, whatever was hashed before', () => {
  fc.assert(
    fc.property(bytes, (leaf) => {
      expect(leafHash(leaf).toString('hex')).toBe(plainSha256(Uint8Array.of(0), leaf));
    }),
  );
});

test.each([16_383, 16_384, 16_385, 1_000_000])('a leaf of %d bytes is hashed like any other', (length) => {
  const leaf = Buffer.alloc(length, 0xa5);
  expect(leafHash(leaf).toString('hex')).toBe(plainSha256(Uint8Array.of(0), leaf));
});

test('a node is SHA-256 of 0x01, left and right', () => {
  fc.assert(
    fc.property(hash, hash, (left, right) => {
      expect(nodeHash(left, right).toString('hex')).toBe(plainSha256(Uint8Array.of(1), left, right));
    }),
  );
});

test('a node is never mistaken for a leaf of the same bytes', () => {
  const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
  expect(leafHash(Buffer.concat([left, right])).equals(nodeHash(left, right))).toBe(false);
});

test('a later hash does not write over an earlier one', () => {
  const first = leafHash(Buffer.from('first'));
  const before = first.toString('hex');
  leafHash(Buffer.from('second'));
  nodeHash(first, first);
  expect(first.toString('hex')).toBe(before);
});

test.each([0, 31, 33])('a node refuses a hash of %d bytes on either side', (length) => {
  const good = leafHash(Buffer.from('good'));
  const bad = Buffer.alloc(length);
  expect(() => nodeHash(bad, good)).toThrow(RangeError);
  expect(() => nodeHash(good, bad)).toThrow(RangeError);
});
