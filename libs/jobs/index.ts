// Work that takes longer than a request: what is to be done to many scopes, kept until it is done.
// May import session, api, log, postgres and waiting.
// Start reading in jobs.ts: what is kept of a job. bulk-worker.ts does it.
export { BulkWorker } from './bulk-worker.js';
export { Jobs } from './jobs.js';
