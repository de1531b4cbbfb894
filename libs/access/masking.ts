// A door of its own, #access/masking: whatever prints has to mask, and this loads nothing else.

/**
 * A text with the passwords of the connection strings in it masked: of `postgres://user:password@host`, also without
 * the scheme or its slashes, and of `password=…`. For whatever is printed that may quote one.
 */
export function maskPasswords(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/{0,2}[^\s:@/]*):\S*@/gi, '$1:…@')
    .replace(/(^|[\s'"=(])([^\s:@/'"=(]+):(?!\/\/|…)[^\s@]+@/g, '$1$2:…@')
    .replace(/\b((?:ssl)?password=)[^&\s'"]+/gi, '$1…');
}

/** A key, or what is left of one that was cut; a token, by the two parts that every one begins with; what a key file holds. */
const KEYS = /\b(sl[tl]_[0-9A-Za-z]{10})[0-9A-Za-z]{8,}/g;
const TOKENS = /\beyJ[\w-]+\.eyJ[\w-]+(\.[\w-]*)?/g;
const FILED = /\b(PRIVATE|HANDLE)\+KEY\+\S+/g;

/** A text with keys, tokens and passwords in it masked, for whatever is printed that may quote one. A key's id stays. */
export function maskSecrets(text: string): string {
  return maskPasswords(text).replace(KEYS, '$1…').replace(TOKENS, 'eyJ…').replace(FILED, '$1+KEY+…');
}
