import { leafHash, type SignedCheckpoint, TlogError, verifyEvent } from '#client';
import { parseTlogProof, parseVerifierKey } from '#tlog';
import { call, queryOf, Refused, reasonOf } from './call';
import { readText } from './read-text';

/** Verifier keys, and who said that they are the ledger's. Held by this page's memory. */
export interface Trusted {
  keys: string[];
  by: 'you' | 'the service';
}

/** What was computed here, from the event's bytes up to the signed root. */
export interface Proven {
  position: string;
  bytes: number;
  leaf: string;
  hashes: number;
  checkpoint: SignedCheckpoint;
  root: string;
  by: Trusted['by'];
  /** What the service gave; for a check by other tools. */
  proof: string;
}

/** One a line. Throws with what is wrong. */
export function keysIn(text: string): string[] {
  const keys = text.split(/\s+/).filter((line) => line !== '');
  if (keys.length === 0) throw new Error('Enter a verifier key: <name>+<8 hex digits>+<base 64>.');
  keys.forEach(parseVerifierKey);
  return keys;
}

/** Those that the service tells of: trusting them proves only that its answers fit each other. */
export async function keysOfService(signal: AbortSignal): Promise<string[]> {
  const { keys } = await call('auditKeys', { signal });
  if (keys.length === 0)
    throw new Error('The service signs no checkpoints: no audit key is set (LEDGER_AUDIT_KEY_FILE).');
  return keys;
}

/** Why nothing can be proven in this page; undefined: it can. */
export const unableToProve = (): string | undefined =>
  globalThis.crypto?.subtle
    ? undefined
    : 'This page cannot compute hashes or check signatures, because a browser allows that (crypto.subtle) only in a secure context: open the console by https, or from the machine itself by 127.0.0.1. Or use session-ledger audit verify.';

/** Asks for the proof alone, and verifies it here. Throws with what does not hold. */
export async function proveEvent(
  { position, text }: { position: string; text: string },
  { keys, by }: Trusted,
  signal: AbortSignal,
): Promise<Proven> {
  const proof = await readText(`/v1/audit/proof${queryOf({ position })}`, signal);
  const bytes = new TextEncoder().encode(text);
  const { partition, sequence, checkpoint } = await verifyEvent({ event: bytes, proof, keys });
  if (`${partition}:${sequence}` !== position)
    throw new TlogError('not-included', `the proof is of ${partition}:${sequence}, not of ${position}`);
  return {
    ...{ position, checkpoint, by, proof, bytes: bytes.length },
    leaf: hex(await leafHash(bytes)),
    hashes: parseTlogProof(proof).hashes.length,
    root: hex(checkpoint.root),
  };
}

/** Whether it is the log that is at fault, or only that it could not be asked. */
export function faultOf(error: unknown): { isDisproven: boolean; text: string } {
  if (error instanceof TlogError) return { isDisproven: true, text: error.message };
  if (error instanceof Refused && error.status === 404)
    return { isDisproven: false, text: 'This service has no proofs: its version is too old.' };
  if (error instanceof DOMException && error.name === 'NotSupportedError')
    return {
      isDisproven: false,
      text: 'This browser does not support Ed25519: use session-ledger audit verify.',
    };
  return { isDisproven: false, text: reasonOf(error) };
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
