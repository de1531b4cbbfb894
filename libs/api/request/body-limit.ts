const BODY_BYTES = 64 * 1024;

/** Most bytes of a body: 64 KiB; a thousand renewals may take 128, a thousand reports 512. */
export function bodyLimitOf(path: string): number {
  if (path === '/v1/leases/renew') return 2 * BODY_BYTES;
  return path === '/v1/reports' ? 8 * BODY_BYTES : BODY_BYTES;
}
