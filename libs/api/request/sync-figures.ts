import { ProblemError } from '../problems/problem-error.js';

/** Whose reports to take back. Throws `invalid-request` for a project without its user: that would be all of them. */
export function withdrawn<Query extends { userId?: string; projectId?: string }>(query: Query): Query {
  if (query.projectId === undefined || query.userId !== undefined) return query;
  throw new ProblemError('invalid-request', 'query.projectId needs query.userId');
}

/** Of how many reports a consumer's, or everybody's, are of what is current. */
export interface SyncCounts {
  inSync: number;
  outOfSync: number;
  unknown: number;
}

/** Most consumers that an answer names; the figures over all count the others, too. */
const MOST_CONSUMERS = 100;

/** The figures over all consumers, and those of each: the ones with the most reports first. */
export function syncFigures(consumers: readonly (SyncCounts & { consumer: string })[]) {
  const total = { inSync: 0, outOfSync: 0, unknown: 0 };
  for (const one of consumers) {
    total.inSync += one.inSync;
    total.outOfSync += one.outOfSync;
    total.unknown += one.unknown;
  }
  const shown = consumers.slice(0, MOST_CONSUMERS);
  return { ...rated(total), consumers: shown.map((one) => ({ consumer: one.consumer, ...rated(one) })) };
}

/** Of no reports there is no rate. */
function rated({ inSync, outOfSync, unknown }: SyncCounts) {
  const all = inSync + outOfSync + unknown;
  return { inSync, outOfSync, unknown, ...(all > 0 && { rate: inSync / all }) };
}
