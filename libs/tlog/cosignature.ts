/**
 * What a witness signs with Ed25519 (c2sp.org/tlog-cosignature): that at this time it had seen no larger tree of this log,
 * and that all it has seen are consistent. `text` is the checkpoint's.
 *
 * @param seconds since 1970
 */
export function cosignedText(seconds: number, text: string): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`;
}
