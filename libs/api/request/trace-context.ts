/** `version-traceid-parentid-flags`; a version after 00 may have more behind it. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-[!-~]*)?$/;

/**
 * What events keep of a `traceparent` header (W3C Trace Context, section 3.2): the part that version 00 knows. Undefined
 * for one that is malformed: it is dropped, as the standard has it.
 */
export function traceparentOf(header: string): string | undefined {
  const [found, version, traceId, parentId, flags] = TRACEPARENT.exec(header) ?? [];
  if (found === undefined || (version === '00' && found.length > 55)) return undefined;
  return `00-${traceId}-${parentId}-${flags}`;
}
