// What crosses the wire: schemas of requests, answers and events; OpenAPI and AsyncAPI are made of them. A door of its
// own, because typebox makes them and who only serves has no need of it.
// Start reading in operations.ts: all that the ledger can be asked.
export { asyncApi } from './asyncapi.js';
export { commands, type StartBody } from './commands.js';
export { NAME, namedIn } from './components.js';
export { openApi } from './openapi.js';
export { type Operation, problemsOf, type Reply } from './operation.js';
export { type OperationId, operations } from './operations.js';
export * from './values.js';
