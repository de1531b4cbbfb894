/** A tenant's name: it begins scope keys, which then need no escapes. */
export function isTenant(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9._~-]{1,64}$/.test(value);
}

/** A principal's name: it stands in events, of which it may change no byte. */
export function isPrincipal(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]{1,256}$/.test(value) && !/["\\]/.test(value);
}
