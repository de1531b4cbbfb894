// What crosses the wire: schemas of requests, answers and events; OpenAPI and AsyncAPI are made of them.
// May import protocol, typebox, and the types of session.
// Start reading in operations.ts: all that the ledger can be asked.
export { MOST_REFUSALS } from './answers.js';
export { asyncApi } from './asyncapi.js';
export * from './bodies.js';
export { NAME, namedIn } from './components.js';
export type { ChainQuery, SessionsQuery, TransitionsQuery, UsageQuery } from './history.js';
export { openApi } from './openapi.js';
export * from './operations.js';
export type { Reports, StatsQuery, WithdrawQuery } from './sync.js';
export * from './values.js';
