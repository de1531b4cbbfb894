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
