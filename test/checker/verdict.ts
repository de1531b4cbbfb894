import type { Log } from './log.js';
import type { Operation } from './operation.js';
import { answers } from './rules/answers.js';
import { evidenceOf } from './rules/evidence.js';
import { leases } from './rules/leases.js';
import { obeyed } from './rules/obeyed.js';
import { once } from './rules/once.js';
import { oneCurrent } from './rules/one-current.js';
import { realTime } from './rules/real-time.js';
import { refused } from './rules/refused.js';
import { stops } from './rules/stops.js';
import type { Violation } from './violation.js';

const RULES = [answers, oneCurrent, obeyed, once, refused, realTime, stops, leases] as const;

/** Holds a recorded history against the whole log. Pure; empty when every promise was kept. */
export function verdict(operations: readonly Operation[], log: Log): Violation[] {
  const evidence = evidenceOf(operations, log);
  return RULES.flatMap((rule) => rule(evidence));
}
