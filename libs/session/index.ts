export * from './commands.js';
export { decide, type Known } from './decide.js';
export type { Accepted, Decision, Outcome, Refusal, RefusalCode, Refused } from './decision.js';
export * from './events.js';
export { evolve } from './evolve.js';
export { murmur2, parseScopeKey, partitionOf, type Scope, type ScopeKey, scopeKey } from './scope.js';
export * from './session.js';
