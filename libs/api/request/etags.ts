/** The ETag of what is current at a revision. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/**
 * Whether an If-None-Match names an ETag (RFC 9110, section 13.1.2): `*` names any, and W/"1" is "1" to it, because a
 * proxy that compresses weakens what it passes on.
 */
export function namesEtag(ifNoneMatch: string | null | undefined, etag: string): boolean {
  if (!ifNoneMatch) return false;
  return ifNoneMatch.trim() === '*' || ifNoneMatch.match(/"[^"]*"/g)?.includes(etag) === true;
}
