// Read models that are made from the log after its commits: sessions, transitions and usage, kept, rebuilt and verified.
// May import session, api, archive, log, postgres and waiting.
// Start reading in projector.ts, then step.ts: a page of events and what it makes of the tables.
export { Pace } from './pace.js';
export { projectedUpTo } from './projected-up-to.js';
export { Projector } from './projector.js';
export { Reached } from './reached.js';
export { ReadModels } from './read-models.js';
export { rebuild } from './rebuild.js';
export { type Difference, type VerifyProgress, verifyProjections } from './verify-projections.js';
