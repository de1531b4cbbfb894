import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import {
  fromBase64,
  parseVerifierKey,
  SIGNATURE_TYPES,
  type Signature,
  TlogError,
  toBase64,
  type VerifierKey,
  verifierKeyText,
} from '#tlog';

/** An Ed25519 key that signs notes. Its text is the one that Go's sumdb/note reads: keep it from others. */
export interface SigningKey {
  /** In signatures: the ledger's name in what is signed. */
  readonly name: string;
  /** Its public form, to be given to whoever verifies. */
  readonly verifierKey: string;
  /** The same for cosignatures (c2sp.org/tlog-cosignature), where the key is a witness's. */
  readonly witnessKey: string;
  /** Signs the text of a note. */
  sign(text: string): Signature;
  /** Signs something else, for a signature of another type under the same name. */
  signAs(type: number, message: string): { keyId: number; bytes: Buffer };
}

const PREFIX = 'PRIVATE+KEY+';
const SEED_BYTES = 32;
// What stands before the 32 bytes of a private and of a public Ed25519 key in DER (RFC 8410).
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * The text of a new key.
 *
 * @param name without spaces and `+`
 */
export function makeSigningKey(name: string): string {
  const seed = randomBytes(SEED_BYTES);
  const id = keyIdOf(name, SIGNATURE_TYPES.ed25519, publicBytesOf(privateKeyOf(seed)));
  const hex = id.toString(16).padStart(8, '0');
  return `${PREFIX}${name}+${hex}+${toBase64(Uint8Array.of(SIGNATURE_TYPES.ed25519, ...seed))}`;
}

/** @throws TlogError `malformed`, without a word of what the text says */
export function parseSigningKey(text: string): SigningKey {
  const [, name, id, encoded] =
    /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\s*$/u.exec(text) ?? [];
  const bytes = encoded === undefined ? undefined : decoded(encoded);
  if (name === undefined || !bytes || bytes[0] !== SIGNATURE_TYPES.ed25519) throw noKey();
  const key = privateKeyOf(bytes.subarray(1));
  const publicBytes = publicBytesOf(key);
  const keyId = keyIdOf(name, SIGNATURE_TYPES.ed25519, publicBytes);
  if (keyId !== Number.parseInt(id as string, 16)) throw noKey();
  const signAs = (type: number, message: string) => ({
    keyId: keyIdOf(name, type, publicBytes),
    bytes: sign(null, Buffer.from(message), key),
  });
  const { ed25519, cosignature } = SIGNATURE_TYPES;
  const witnessId = keyIdOf(name, cosignature, publicBytes);
  return {
    name,
    verifierKey: verifierKeyText({ name, keyId, type: ed25519, key: publicBytes }),
    witnessKey: verifierKeyText({ name, keyId: witnessId, type: cosignature, key: publicBytes }),
    sign: (message) => {
      const { bytes: signed } = signAs(SIGNATURE_TYPES.ed25519, message);
      return { name, keyId, bytes: Uint8Array.from(signed) };
    },
    signAs,
  };
}

/** Whether signatures are a verifier key's. @throws TlogError `malformed` for a key whose id does not fit it */
export function verifierOf(
  text: string,
): VerifierKey & { isRight(message: string, bytes: Uint8Array): boolean } {
  const verifier = parseVerifierKey(text);
  const { name, keyId, type, key } = verifier;
  if (keyIdOf(name, type, key) !== keyId)
    throw new TlogError('malformed', "the verifier key's id does not fit it");
  const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_DER, key]), format: 'der', type: 'spki' });
  return { ...verifier, isRight: (message, bytes) => verify(null, Buffer.from(message), publicKey, bytes) };
}

function noKey(): TlogError {
  return new TlogError('malformed', 'this is no signing key: `session-ledger audit keygen` makes one');
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return fromBase64(text, 1 + SEED_BYTES);
  } catch {
    return undefined; // what it says quotes the key
  }
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
}

function publicBytesOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return Uint8Array.from(der.subarray(PUBLIC_DER.length));
}

function keyIdOf(name: string, type: number, key: Uint8Array): number {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(type))
    .update(key)
    .digest()
    .readUInt32BE();
}
