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
const LOG = '4491641796d76fe5a3aac0ca2b480b8e98f680410267e4a7a2aa079335e662a9';
const STATE = '2ae13296476aab86915d1692bb5cadaa36ff87cb573f59afcab86bbe7deb1a7e';

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
