import {
  type Checkpoint,
  type Note,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  TlogError,
  type VerifierKey,
} from '#tlog';
import { sha256 } from './sha256.js';

/** A checkpoint whose signature is right. */
export interface SignedCheckpoint extends Checkpoint {
  partition: number;
  /** Names of the keys whose signatures are right. */
  signedBy: string[];
}

/**
 * Verifies a checkpoint that somebody has kept, or a proof carries: that one of these keys has signed it, and that it is
 * of a partition of the ledger that the key is called after.
 *
 * @param keys verifier keys of the ledger, as `/v1/audit/key` told them when you trusted it; several during a rotation
 * @throws TlogError `malformed`, `unknown-key`, `bad-signature` or `another-log`
 */
export async function verifyCheckpoint(note: string, keys: readonly string[]): Promise<SignedCheckpoint> {
  const parsed = parseNote(note);
  const verifiers = keys.map(parseVerifierKey).filter(({ type }) => type === SIGNATURE_TYPES.ed25519);
  const signed = await Promise.all(verifiers.map((key) => hasSigned(key, parsed)));
  const signers = verifiers.filter((_, at) => signed[at]);
  const checkpoint = parseCheckpoint(parsed.text);
  if (signers.length === 0) {
    const names = parsed.signatures.map(
      ({ name, keyId }) => `${name}+${keyId.toString(16).padStart(8, '0')}`,
    );
    const found = names.length > 0 ? `signed by ${names.join(', ')}` : 'not signed at all';
    throw new TlogError('unknown-key', `no key that was given has signed it: it is ${found}`);
  }
  const [, partition] = signers.map(({ name }) => partitionOf(checkpoint.origin, name)).find(Boolean) ?? [];
  if (partition === undefined) {
    const names = signers.map(({ name }) => name).join(', ');
    throw new TlogError('another-log', `the checkpoint is of ${checkpoint.origin}, and the key of ${names}`);
  }
  return { ...checkpoint, partition, signedBy: signers.map(({ name }) => name) };
}

function partitionOf(origin: string, name: string): readonly [string, number] | undefined {
  const [, of, digits] = /^(.+)\/(0|[1-9]\d{0,3})$/u.exec(origin) ?? [];
  return of === name ? [of, Number(digits)] : undefined;
}

/** Whether it has. @throws TlogError `bad-signature` for one in its name that is wrong, `malformed` for a key that is none */
async function hasSigned({ name, keyId, type, key }: VerifierKey, note: Note): Promise<boolean> {
  const id = await sha256(new TextEncoder().encode(`${name}\n`), Uint8Array.of(type), key);
  if (new DataView(id.buffer).getUint32(0) !== keyId)
    throw new TlogError('malformed', "the verifier key's id does not fit it");
  const mine = note.signatures.filter((one) => one.name === name && one.keyId === keyId);
  if (mine.length === 0) return false;
  const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  const text = new TextEncoder().encode(note.text);
  for (const { bytes } of mine) {
    if (await crypto.subtle.verify('Ed25519', imported, bytes, text)) continue;
    throw new TlogError(
      'bad-signature',
      `the signature of ${name} does not fit the checkpoint: it was changed`,
    );
  }
  return true;
}
