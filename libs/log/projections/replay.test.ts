import { createHash } from 'node:crypto';
import { evolve, noSessionYet, type ScopeState } from '#session';
import { recordedLog } from '../testing/recorded-log.js';
import { foldSessions } from './sessions/fold.js';
import { readTold } from './stored-event.js';
import { foldTransitions } from './transitions/fold.js';

const EVENTS = 100_000;

/**
 * Of the log and of what it folds to. The first one changes when the decider decides otherwise or events are written
 * otherwise; the second one alone: when the same log means something else than before, which must never be by accident.
 */
const LOG = 'ae3b0d9c00bef2ccf8d30746704c1068c150cf5491d691a0e7fe6cd671f2397b';
const STATE = 'b59bf8c1f1b6ad329dad07df64feedb546fad2a4a6e0d9a9f1aba30c076ff900';

test('a recorded log of 100,000 events folds to the same state on every machine, bit for bit', () => {
  const log = createHash('sha256');
  const scopes = new Map<string, ScopeState>();
  const told = recordedLog(EVENTS, 20_261_121).map(({ scopeId, sequence, event, bytes }) => {
    log.update(bytes);
    scopes.set(scopeId, evolve(scopes.get(scopeId) ?? noSessionYet, event));
    return readTold(0, { sequence, scopeId, bytes });
  });
  const state = createHash('sha256');
  for (const row of scopes) state.update(JSON.stringify(row));
  for (const row of foldSessions(told).values()) state.update(JSON.stringify(row));
  for (const row of foldTransitions(told).values()) state.update(JSON.stringify(row));
  expect(told).toHaveLength(EVENTS);
  expect({ log: log.digest('hex'), state: state.digest('hex') }).toEqual({ log: LOG, state: STATE });
});
