// Who may do what: keys in Postgres and in memory, tokens, limits, and the log of access.
// May import api, log, postgres, waiting, jose, pg (types) and Node.
// Start reading in access.ts: what becomes of a request's Authorization header.
export { type Access, type Asking, openAccess, withoutAccess } from './access.js';
export { AccessLog, type LoggedAccess, noteOnce, readAccessLog } from './access-log.js';
export { KeySet } from './key-set.js';
export { Keys } from './keys.js';
export type { Reached } from './limits.js';
export { maskSecrets } from './masking.js';
export { isPrincipal } from './names.js';
export { type TokenSettings, Tokens } from './tokens.js';
