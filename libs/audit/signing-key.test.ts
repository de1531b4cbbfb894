import { makeSigningKey, parseSigningKey, verifierOf } from './index.js';

// Of Go's golang.org/x/mod/sumdb/note, whose texts these are.
const SIGNER = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const VERIFIER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

test('a key that another tool has made has the same public form here', () => {
  expect(parseSigningKey(SIGNER).verifierKey).toBe(VERIFIER);
});

test('a signature that another tool has made is right, and no other', () => {
  const text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const signature = Buffer.from(
    'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=',
    'base64',
  ).subarray(4);
  const verifier = verifierOf(VERIFIER);
  expect(verifier.isRight(text, signature)).toBe(true);
  expect(verifier.isRight(`${text} `, signature)).toBe(false);
  expect(parseSigningKey(SIGNER).sign(text).bytes).toEqual(Uint8Array.from(signature));
});

test('a new key signs what its public form verifies', () => {
  const key = parseSigningKey(makeSigningKey('session-ledger/test'));
  const { name, keyId, bytes } = key.sign('a\n');
  const verifier = verifierOf(key.verifierKey);
  expect([name, keyId, verifier.isRight('a\n', bytes)]).toEqual([
    'session-ledger/test',
    verifier.keyId,
    true,
  ]);
});

test.each([
  ['nothing', ''],
  ['a public key', VERIFIER],
  ['a key that was cut', SIGNER.slice(0, -2)],
  ['a key under another name', SIGNER.replace('Peter', 'Paul')],
  ['another type', SIGNER.replace('+AYEK', '+AoEK')],
])('%s is no signing key, and the message quotes none of it', (_, text) => {
  const failure = (() => {
    try {
      parseSigningKey(text);
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(failure).toBe('this is no signing key: `session-ledger audit keygen` makes one');
});

test('a verifier key whose id is of another one is refused', () => {
  expect(() => verifierOf(VERIFIER.replace('c74f20a3', 'c74f20a4'))).toThrow('id does not fit');
});
