import { fromBase64, toBase64 } from './base64.js';
import { TlogError } from './errors.js';

/** A signed note (c2sp.org/signed-note). */
export interface Note {
  /** What is signed: lines, with the end of the last one. */
  text: string;
  signatures: readonly Signature[];
}

export interface Signature {
  /** Of the key. */
  name: string;
  keyId: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What a verifier key (vkey) says: `<name>+<id>+<base 64 of type and key>`. */
export interface VerifierKey {
  name: string;
  keyId: number;
  type: number;
  /** 32 bytes of Ed25519 for both types that are known here. */
  key: Uint8Array<ArrayBuffer>;
}

/** The identifier bytes of signature types. */
export const SIGNATURE_TYPES = {
  /** Ed25519 over the note's text. */
  ed25519: 0x01,
  /** Ed25519 of a witness, with the time (c2sp.org/tlog-cosignature). */
  cosignature: 0x04,
} as const;

/** A note has a few signatures; longer ones are not read at all. */
const MOST_CHARACTERS = 1_000_000;
const MOST_SIGNATURES = 100;
const KEY_BYTES = 32;
const NAME = /^[^\s+]+$/u;
const SIGNATURE = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u;

/** Without signatures it is a text that no verifier takes. */
export function noteText({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, keyId, bytes }) => {
    const all = new Uint8Array(4 + bytes.length);
    new DataView(all.buffer).setUint32(0, keyId);
    all.set(bytes, 4);
    return `— ${name} ${toBase64(all)}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Says nothing of whether the signatures are right. @throws TlogError `malformed` */
export function parseNote(note: string): Note {
  if (note.length > MOST_CHARACTERS) throw malformed(`a note of ${note.length} characters`);
  if (hasControls(note)) throw malformed('a note with control characters');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n'))
    throw malformed('this is no signed note, or it was cut: it has no empty line before its signatures');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) throw malformed(`a note with ${lines.length} signatures`);
  const isUnsigned = lines.length === 1 && lines[0] === '';
  return { text: note.slice(0, end + 1), signatures: isUnsigned ? [] : lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const [, name, signature] = SIGNATURE.exec(line) ?? [];
  if (name === undefined || signature === undefined)
    throw malformed(`a signature line "${line.slice(0, 60)}"`);
  const bytes = fromBase64(signature);
  if (bytes.length < 5) throw malformed('a signature without its key');
  return { name, keyId: new DataView(bytes.buffer).getUint32(0), bytes: bytes.slice(4) };
}

/** The text that is given to verifiers. */
export function verifierKeyText({ name, keyId, type, key }: VerifierKey): string {
  return `${name}+${keyId.toString(16).padStart(8, '0')}+${toBase64(Uint8Array.of(type, ...key))}`;
}

/** @throws TlogError `malformed`; that its id fits is for `sha256` to see */
export function parseVerifierKey(text: string): VerifierKey {
  const [name = '', id = '', ...rest] = text.trim().split('+');
  if (!NAME.test(name) || !/^[0-9a-f]{8}$/.test(id))
    throw malformed('a verifier key is <name>+<8 hex digits>+<base 64>');
  const [type, ...key] = fromBase64(rest.join('+'));
  const { ed25519, cosignature } = SIGNATURE_TYPES;
  if ((type !== ed25519 && type !== cosignature) || key.length !== KEY_BYTES)
    throw malformed('a verifier key of a type that is not known here: it has to be Ed25519');
  return { name, keyId: Number.parseInt(id, 16), type, key: Uint8Array.from(key) };
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

function malformed(what: string): TlogError {
  return new TlogError('malformed', what);
}
