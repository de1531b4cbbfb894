// A whole ledger in memory, behind the fetch of a client: for the tests of those who use it.
// May import api, client, session and waiting: it is published with the client.
// Start reading in memory-ledger.ts, then store.ts.
export { type AskingAs, MemoryLedger, type MemoryLedgerOptions } from './memory-ledger.js';
