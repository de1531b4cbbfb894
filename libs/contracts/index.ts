export { MOST_REFUSALS } from './answers.js';
export { asyncApi } from './asyncapi.js';
export * from './bodies.js';
export { NAME, namedIn } from './components.js';
export type { ChainQuery, SessionsQuery, TransitionsQuery, UsageQuery } from './history.js';
export { openApi } from './openapi.js';
export * from './operations.js';
export type { Reports, StatsQuery, WithdrawQuery } from './sync.js';
export * from './values.js';
