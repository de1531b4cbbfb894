/** Of RFC 9110 and RFC 5789; TRACE and CONNECT are for proxies. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Whether a method is one that an address may have; the others are `unknown-method`, whatever the address. */
export function isMethod(method: string): boolean {
  return METHODS.has(method);
}

/** The methods of an address that has routes for some: whoever answers GET answers HEAD (RFC 9110, section 9.1). */
export function methodsTaken(routes: readonly string[]): string[] {
  return routes.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}
