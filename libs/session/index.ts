export { lastValidBefore, MOST_STEPS_BACK } from './chain.js';
export * from './commands.js';
export { decide } from './decide.js';
export { addDecimals } from './decimal.js';
export type { Accepted, Decision, Outcome, Refusal, RefusalCode, Refused } from './decision.js';
export * from './events.js';
export { evolve } from './evolve.js';
export {
  type Handle,
  type HandleChange,
  type HandleHolder,
  MOST_SESSION_HANDLES,
  type NewHandle,
} from './handles.js';
export type { Known } from './known.js';
export { type Json, type JsonObject, mergePatch } from './merge-patch.js';
export { type Candidate, type Resolution, resolve, type Unresolved } from './resolve.js';
export { murmur2, parseScopeKey, partitionOf, type Scope, type ScopeKey, scopeKey } from './scope.js';
export * from './session.js';
export { startsTimer, type Timer, timerOf } from './timer.js';
export type { Money, Usage, UsageTotals } from './usage.js';
