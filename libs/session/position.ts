import type { Instant } from './session.js';

/** A place in the log. */
export interface Position {
  partition: number;
  sequence: number;
}

/** A place in a partition, or a moment. */
export type AsOf = { sequence: number } | { time: Instant };
