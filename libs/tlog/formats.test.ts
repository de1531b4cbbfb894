import {
  checkpointText,
  cosignedText,
  fromBase64,
  noteText,
  parseCheckpoint,
  parseNote,
  parseTilePath,
  parseTlogProof,
  parseVerifierKey,
  tilePath,
  tlogProofText,
  verifierKeyText,
} from './index.js';

// The example of c2sp.org/signed-note.
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE_NOTE =
  'This is an example message.\n\n— example.com/foo ' +
  'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

test('a note is read and written as the specification has it', () => {
  const note = parseNote(EXAMPLE_NOTE);
  expect(note.text).toBe('This is an example message.\n');
  expect(note.signatures).toMatchObject([{ name: 'example.com/foo', keyId: 0x530d903a }]);
  expect(note.signatures[0]?.bytes).toHaveLength(64);
  expect(noteText(note)).toBe(EXAMPLE_NOTE);
});

test('a verifier key is read and written as the specification has it', () => {
  const key = parseVerifierKey(EXAMPLE_KEY);
  expect(key).toMatchObject({ name: 'example.com/foo', keyId: 0x530d903a, type: 1 });
  expect(verifierKeyText(key)).toBe(EXAMPLE_KEY);
});

test('a note without signatures is a text and an empty line', () => {
  expect(parseNote('a\nb\nc\n\n')).toEqual({ text: 'a\nb\nc\n', signatures: [] });
});

const root = new Uint8Array(32).fill(7);
const checkpoint = { origin: 'example.com/log/3', size: 1_042, root };

test('a checkpoint is origin, size and root', () => {
  const text = checkpointText(checkpoint);
  expect(text).toBe('example.com/log/3\n1042\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n');
  expect(parseCheckpoint(text)).toEqual(checkpoint);
  expect(parseCheckpoint(`${text}an extension\n`)).toEqual(checkpoint);
  expect(cosignedText(1_679_315_147, text)).toBe(`cosignature/v1\ntime 1679315147\n${text}`);
});

test('a proof has an index, hashes and a checkpoint', () => {
  const proof = { index: 1_041, hashes: [root, root], checkpoint: noteText({ text: 'a\n', signatures: [] }) };
  const text = tlogProofText(proof);
  expect(text.split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 1041']);
  expect(parseTlogProof(text)).toEqual(proof);
  expect(parseTlogProof(text.replace('index', 'extra YWJj\nindex'))).toEqual(proof);
  const alone = { index: 0, hashes: [], checkpoint: 'a\n\n' };
  expect(parseTlogProof(tlogProofText(alone))).toEqual(alone);
});

test.each([
  [{ level: 0, index: 5, width: 256 }, '0/005'],
  [{ level: 1, index: 1_234_067, width: 256 }, '1/x001/x234/067'],
  [{ level: 0, index: 999, width: 17 }, '0/999.p/17'],
  [{ level: 2, index: 1_000, width: 1 }, '2/x001/000.p/1'],
  [{ level: 63, index: 0, width: 255 }, '63/000.p/255'],
])('a tile has an address', (place, path) => {
  expect(tilePath(place)).toBe(path);
  expect(parseTilePath(path)).toEqual(place);
});

test.each([
  ...['', '0', '0/5', '0/0005', '00/005', '64/005', '0/x005', '0/x000/005', '0/005.p/0', '0/005.p/256'],
  ...['0/005.p/017', '0/005/', '-1/005', '0/x999/x999/x999/x999/x999/999', 'a/005', '0/005.p/'],
])('"%s" is the address of no tile', (path) => {
  expect(parseTilePath(path)).toBeUndefined();
});

describe('what was cut or made up is malformed', () => {
  const proof = tlogProofText({ index: 7, hashes: [root], checkpoint: EXAMPLE_NOTE });
  test.each<[string, () => unknown]>([
    ['an empty note', () => parseNote('')],
    ['a note without its last line end', () => parseNote(EXAMPLE_NOTE.slice(0, -1))],
    ['a note that ends in its text', () => parseNote('This is an example message.\n')],
    ['a note with a tab', () => parseNote(`\t${EXAMPLE_NOTE}`)],
    ['a note whose signature is no base 64', () => parseNote(EXAMPLE_NOTE.replace('Uw2Q', 'Uw2!'))],
    ['a note whose signature is short', () => parseNote('a\n\n— example.com/foo Uw2Q\n')],
    ['a note of a million characters', () => parseNote(`${'a'.repeat(1_000_000)}${EXAMPLE_NOTE}`)],
    [
      'a key of another type',
      () => parseVerifierKey('a+00000000+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'),
    ],
    [
      'a key without a name',
      () => parseVerifierKey('+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'),
    ],
    ['a key that was cut', () => parseVerifierKey(EXAMPLE_KEY.slice(0, -4))],
    ['no key', () => parseVerifierKey('')],
    [
      'a checkpoint with a size of 007',
      () => parseCheckpoint('o\n007\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n'),
    ],
    ['a checkpoint with a short root', () => parseCheckpoint('o\n7\nBwcH\n')],
    ['a checkpoint without a root', () => parseCheckpoint('o\n7\n')],
    ['a proof of another version', () => parseTlogProof(proof.replace('@v1', '@v2'))],
    ['a proof without an index', () => parseTlogProof(proof.replace('index 7\n', ''))],
    ['a proof with an index below 0', () => parseTlogProof(proof.replace('index 7', 'index -7'))],
    ['a proof that was cut', () => parseTlogProof(proof.slice(0, 50))],
    [
      'a proof of 54 hashes',
      () => parseTlogProof(tlogProofText({ index: 7, hashes: Array(54).fill(root), checkpoint: 'a\n\n' })),
    ],
    [
      'base 64 with bits that mean nothing',
      () => fromBase64('BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=', 32),
    ],
  ])('%s', (_, read) => {
    expect(read).toThrow(expect.objectContaining({ name: 'TlogError', fault: 'malformed' }));
  });
});
