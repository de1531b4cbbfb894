// What the API's operations mean and do, written once for every ledger; their schemas are behind the door #api/schemas.
// May import session; typebox only in schemas/.
// Start at serve/index.ts for the operations, at ledger.port.ts for what they need of a ledger.
export {
  type Answered,
  type Asked,
  anonymous,
  type Caller,
  type EventsAfter,
  type Serving,
} from './asked.js';
export type * from './ledger.port.js';
export { type Problem, problemBody, problemPage, retryAfterOf } from './problems/problem-body.js';
export { ProblemError } from './problems/problem-error.js';
export { advice, type ProblemCode, type ProblemKind, problems } from './problems/problems.js';
export { fromText } from './request/address-values.js';
export { attributesJson, attributesTooLarge } from './request/attributes.js';
export { canonicalJson } from './request/canonical.js';
export { currentRead } from './request/current-read.js';
export { decodeCursor, encodeCursor } from './request/cursor.js';
export { etagOf, namesEtag } from './request/etags.js';
export {
  aheadOfLog,
  decodeVector,
  encodeVector,
  type LastEventId,
  lastEventId,
  ScopeEventIds,
} from './request/event-ids.js';
export {
  bodyLimitOf,
  checkEncoding,
  checkExpectation,
  checkRequestKey,
  isMethod,
  methodsTaken,
} from './request/http.js';
export { inexactNumber, type JsonBody, readJson } from './request/json-body.js';
export { type LeaseRequest, leaseTerms } from './request/lease-terms.js';
export { handlesOf, type OutsideName } from './request/names.js';
export { decodePlace, encodePlace } from './request/place.js';
export { asOfQuery, noSuchPosition, positionOf, positionText } from './request/positions.js';
export { selectionOf } from './request/selection.js';
export { type SyncCounts, syncFigures, withdrawn } from './request/sync-figures.js';
export { meantBy, type ReportedUsage, usageOf } from './request/usage.js';
export { explainValidation, type ValidationFault } from './request/validation.js';
export { startOf, submissionOf } from './serve/commands.js';
export { serving } from './serve/index.js';
export { isSameRequest, type Keyed, receiptOf, unkeyed } from './serve/receipts.js';
export { placeOf, scopeOf } from './serve/scopes.js';
