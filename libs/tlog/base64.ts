import { TlogError } from './errors.js';

const PATTERN = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Arguments of one call: engines have a limit, and no text here is long. */
const CHUNK = 4_096;

/** Base 64 of RFC 4648 section 4, with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}

/** @throws TlogError `malformed` for anything else than what `toBase64` writes, or another number of bytes than wanted */
export function fromBase64(text: string, bytes?: number): Uint8Array<ArrayBuffer> {
  const decoded = PATTERN.test(text) ? Uint8Array.from(atob(text), (one) => one.charCodeAt(0)) : undefined;
  if (!decoded || (bytes !== undefined && decoded.length !== bytes) || toBase64(decoded) !== text) {
    throw new TlogError('malformed', `"${text.slice(0, 60)}" is not the base 64 of ${bytes ?? 'some'} bytes`);
  }
  return decoded;
}
