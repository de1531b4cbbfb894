// Renews leases, many in one transaction, and finds those whose time is over.
// May import session, api, log, postgres and waiting.
// Start reading in renewer.ts; reaper.ts has what becomes of a lease that nobody renews.
export { Reaper } from './reaper.js';
export { LeaseRenewer } from './renewer.js';
