// For all that waits: pauses, backoff, deadlines, aborting, and loops in the background. Nowhere else is a copy of it.
// Imports nothing, and needs nothing but timers and AbortSignal: the published client runs in browsers, too.
// Start reading in until-woken.ts: the other waits stand on it.
export { backoffMs, untilDone } from './backoff.js';
export { DeadlineOver, orAborted, settled, withDeadline } from './deadline.js';
export { eventually } from './eventually.js';
export { Loop } from './loop.js';
export { Places } from './places.js';
export { takenInTurn } from './taken-in-turn.js';
export { onAbort, pause, rest, untilWoken } from './until-woken.js';
