import type { SessionEvent } from './events.js';
import type { ScopeState } from './session.js';

/** The state after an event: whatever its type, `session` is the scope's latest one from then on. */
export function evolve(state: ScopeState, event: SessionEvent): ScopeState {
  const version = state.version + 1;
  return 'session' in event ? { version, latest: event.session } : { ...state, version };
}
