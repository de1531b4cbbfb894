// What the API's operations mean and do, written once for every ledger; their schemas are behind the door #api/schemas.
// May import session and waiting; typebox only in schemas/.
// Start at serve/index.ts for the operations, at ledger.port.ts for what they need of a ledger.

export type { Answered, Asked, EventsAfter, One } from './asked.js';
export {
  anonymous,
  type Caller,
  callerOf,
  checkNeeds,
  type Needs,
  PERMISSIONS,
  type Permission,
} from './caller.js';
export type * from './ledger.port.js';
export { type Problem, problemBody, retryAfterOf } from './problems/problem-body.js';
export { ProblemError } from './problems/problem-error.js';
export { advice, isRefusal, type ProblemCode, type ProblemKind, problems } from './problems/problems.js';
export { fromText } from './request/address-values.js';
export { aheadOfLog, encodeVector, ScopeEventIds } from './request/event-ids.js';
export {
  bodyLimitOf,
  checkEncoding,
  checkExpectation,
  checkRequestKey,
  isMethod,
  methodsTaken,
} from './request/http.js';
export { inexactNumber, type JsonBody, readJson } from './request/json-body.js';
export { converted, faultOf, type Schema } from './request/schema-faults.js';
export { traceparentOf } from './request/trace-context.js';
export { explainValidation, type ValidationFault } from './request/validation.js';
export { startOf, submissionOf } from './serve/commands.js';
export { serving } from './serve/index.js';
export { isSameRequest, receiptOf, unkeyed } from './serve/receipts.js';
export { placeOf, scopeOf } from './serve/scopes.js';
