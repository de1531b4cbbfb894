// What a request means beyond its schema, and what is answered when it means nothing. Pure.
// May import session.
// Start reading in drafts.ts: from bodies to commands. problems.ts is the catalogue of errors.
export { fromText } from './address-values.js';
export { attributesJson, attributesTooLarge } from './attributes.js';
export { bodyLimitOf } from './body-limit.js';
export { canonicalJson } from './canonical.js';
export { currentRead } from './current-read.js';
export { decodeCursor, encodeCursor } from './cursor.js';
export { etagOf, namesEtag } from './etags.js';
export {
  aheadOfLog,
  decodeVector,
  encodeVector,
  type LastEventId,
  lastEventId,
  ScopeEventIds,
} from './event-ids.js';
export { checkExpectation } from './expectation.js';
export { inexactNumber, type JsonBody, readJson } from './json-body.js';
export { type LeaseRequest, leaseTerms } from './lease-terms.js';
export { checkEncoding } from './media-type.js';
export { isMethod, methodsTaken } from './methods.js';
export { handlesOf, type OutsideName } from './names.js';
export { decodePlace, encodePlace, type Place } from './place.js';
export { asOfQuery, noSuchPosition, positionOf, positionText } from './positions.js';
export { type Problem, problemBody, problemPage, retryAfterOf } from './problem-body.js';
export { ProblemError } from './problem-error.js';
export { advice, type ProblemCode, type ProblemKind, problems } from './problems.js';
export { checkRequestKey } from './request-key.js';
export { selectionOf } from './selection.js';
export { type SyncCounts, syncFigures, withdrawn } from './sync-figures.js';
export { meantBy, type ReportedUsage, usageOf } from './usage.js';
export { explainValidation, type ValidationFault } from './validation.js';
