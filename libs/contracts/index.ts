export { MOST_REFUSALS } from './answers.js';
export { asyncApi } from './asyncapi.js';
export * from './bodies.js';
export { EVENT_TYPES, LedgerEvent } from './event.js';
export {
  type ChainQuery,
  PlacedSession,
  type SessionsQuery,
  Transition,
  type TransitionsQuery,
  type UsageQuery,
} from './history.js';
export { openApi } from './openapi.js';
export * from './operations.js';
export { advice, type ProblemCode, type ProblemKind, problems } from './problems.js';
export type { Reports, StatsQuery } from './sync.js';
export * from './values.js';
