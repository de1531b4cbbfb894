// The rules: what a command does to a scope's session. Pure.
// Imports nothing.
// Start reading in decide.ts and events.ts; corners/*.test.ts hold every row of docs/commands.md.
export { lastValidBefore, MOST_STEPS_BACK } from './chain.js';
export { handlesIn, newHandlesIn, renameHandles } from './commands/handles-in.js';
export * from './commands/index.js';
export { decide } from './decide.js';
export type { Decision, IgnoredPart, Refusal } from './decision.js';
export * from './events.js';
export { foldSessions, type SessionRow } from './folds/fold-sessions.js';
export { foldTransitions, type TransitionRow, transitionKey } from './folds/fold-transitions.js';
export { foldUsage, sumOf } from './folds/fold-usage.js';
export {
  type Handle,
  type HandleChange,
  type HandleHolder,
  MOST_SCOPE_HANDLES,
  type NewHandle,
} from './handles.js';
export type { Untimed } from './issued.js';
export type { Known } from './known.js';
export { OUTCOMES, type Outcome, sinceThen } from './outcome.js';
export type { AsOf, Position } from './position.js';
export { REFUSALS, type RefusalCode, refusals } from './refusals.js';
export { type Candidate, resolve } from './resolve.js';
export {
  keysOf,
  murmur2,
  parseScopeKey,
  partitionOf,
  partitionOfSession,
  type Scope,
  type ScopeKey,
  scopeKey,
} from './scope.js';
export { isSelected, type Selection } from './selection.js';
export * from './session.js';
export { LONGEST_SECONDS, startsTimer, type Timer, timerOf } from './time/timer.js';
export { type PlacedTold, toldBy } from './told.js';
export { addDecimals, decimalOf, placesOf, plainDecimal } from './values/decimal.js';
export { type Json, type JsonObject, MOST_ATTRIBUTE_BYTES, mergePatch } from './values/merge-patch.js';
export type { Money, Usage, UsageTotals } from './values/usage.js';
