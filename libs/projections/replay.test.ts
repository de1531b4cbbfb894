import { createHash } from 'node:crypto';
import { evolve, foldSessions, foldTransitions, noSessionYet, type ScopeState } from '#session';
import { recordedLog } from '../log/testing/recorded-log.js';
import { readTold } from './stored-event.js';

const EVENTS = 100_000;

/**
 * Of the log and of what it folds to. The first one changes when the decider decides otherwise or events are written
 * otherwise; the second one alone: when the same log means something else than before, which must never be by accident.
 */
const LOG = 'f2b6c524a649425aa3b7f3c53e41799f32aa984c89cbbc3ca1a8dcf6511e8851';
const STATE = 'dfc4e2051ef72a79896e33d4ecef43236bc8c83129a7c7943fe49814b6a7f2a8';

test('a recorded log of 100,000 events folds to the same state on every machine, bit for bit', () => {
  const log = createHash('sha256');
  const scopes = new Map<string, ScopeState>();
  const told = recordedLog(EVENTS, 20_261_121).map(({ scopeId, sequence, event, bytes }) => {
    log.update(bytes);
    scopes.set(scopeId, evolve(scopes.get(scopeId) ?? noSessionYet, event));
    return readTold(0, { sequence, scopeId, text: bytes.toString('utf8') });
  });
  const state = createHash('sha256');
  for (const row of scopes) state.update(JSON.stringify(row));
  for (const row of foldSessions(told).values()) state.update(JSON.stringify(row));
  for (const row of foldTransitions(told).values()) state.update(JSON.stringify(row));
  expect(told).toHaveLength(EVENTS);
  expect({ log: log.digest('hex'), state: state.digest('hex') }).toEqual({ log: LOG, state: STATE });
});
