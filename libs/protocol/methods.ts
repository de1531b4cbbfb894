/** Of RFC 9110 and RFC 5789; TRACE and CONNECT are for proxies. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Whether a method is one that an address may have; the others are `unknown-method`, whatever the address. */
export function isMethod(method: string): boolean {
  return METHODS.has(method);
}
