// What the API's operations do, written once for every ledger. Imports protocol, session, and the types of contracts.
// Start at serve/index.ts for the operations, and at ledger.port.ts for what they need of a ledger.
export {
  type Answered,
  type Asked,
  anonymous,
  type Caller,
  type EventsAfter,
  type Serving,
} from './asked.js';
export type * from './ledger.port.js';
export { startOf, submissionOf } from './serve/commands.js';
export { serving } from './serve/index.js';
export { isSameRequest, type Keyed, receiptOf, unkeyed } from './serve/receipts.js';
export { placeOf, scopeOf } from './serve/scopes.js';
