import fc from 'fast-check';
import { canonicalJson } from './canonical.js';

/** As RFC 8785 says it, without haste. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`;
}

test('every JSON is written as RFC 8785 has it', () => {
  const unit = fc.constantFrom('grapheme', 'binary', 'grapheme-ascii');
  const anyJson = unit.chain((stringUnit) =>
    fc.json({ stringUnit, maxDepth: 4 } as fc.JsonSharedConstraints),
  );
  fc.assert(
    fc.property(anyJson, (text) => {
      const value = JSON.parse(text);
      expect(canonicalJson(value)).toBe(canonical(value));
    }),
  );
});

test('members stand in the order of their names, few or many of them, also those that are numbers', () => {
  const name = fc.oneof(fc.string(), fc.nat().map(String));
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 40 }), (names) => {
      const value = JSON.parse(`{${names.map((each) => `${JSON.stringify(each)}:0`).join(',')}}`);
      const written = [...names].sort().map((each) => `${JSON.stringify(each)}:0`);
      expect(canonicalJson(value)).toBe(`{${written.join(',')}}`);
    }),
  );
});
