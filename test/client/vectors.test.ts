import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SessionReference } from '#client';
import { partitionOf, type Scope, type ScopeKey, scopeKey } from '#session';
import { canonicalJson } from '../../libs/api/request/canonical.js';

/** What every language has to compute alike: the Python client's tests read the same file. */
const vectors: {
  scopes: (Scope & { key: ScopeKey; partitions: Record<string, number> })[];
  references: { sessionId: string; epoch: number; ledger: string; tenant?: string; json: string }[];
  noReferences: string[];
  canonical: { json: string; canonical: string; sha256: string }[];
} = JSON.parse(readFileSync(new URL('../../docs/client-vectors.json', import.meta.url), 'utf8'));

test.each(vectors.scopes)(
  '$key is the key of its scope, with these partitions',
  ({ key, partitions, ...scope }) => {
    expect(scopeKey(scope)).toBe(key);
    for (const [count, partition] of Object.entries(partitions)) {
      expect(partitionOf(key, Number(count))).toBe(partition);
    }
  },
);

test.each(vectors.references)('$json is a reference', ({ json, ledger, tenant, ...name }) => {
  const realm = { ledger, ...(tenant !== undefined && { tenant }) };
  expect(JSON.stringify(new SessionReference(name, realm, 'a target'))).toBe(json);
  expect(JSON.stringify(SessionReference.parse(JSON.parse(json)))).toBe(json);
});

test.each(vectors.noReferences)('%s is no reference', (json) => {
  expect(() => SessionReference.parse(JSON.parse(json))).toThrow('not a reference');
});

test.each(vectors.canonical)('$json has this canonical form', ({ json, canonical, sha256 }) => {
  expect(canonicalJson(JSON.parse(json))).toBe(canonical);
  expect(createHash('sha256').update(canonical).digest('hex')).toBe(sha256);
});
