import type { SessionEvent } from './events.js';
import type { ScopeState } from './session.js';

/** The state after an event. Total: the compiler refuses an event type that is not folded here. */
export function evolve(state: ScopeState, event: SessionEvent): ScopeState {
  switch (event.type) {
    case 'SessionStarted':
    case 'SessionActivated':
    case 'SessionSuperseded':
    case 'SessionRotated':
    case 'OwnershipReleased':
    case 'OwnershipClaimed':
    case 'OwnershipLapsed':
    case 'SessionExpired':
    case 'AttributesChanged':
    case 'HandleBound':
    case 'HandleUnbound':
    case 'SessionEnding':
    case 'SessionEnded':
      return { version: state.version + 1, latest: event.session };
    case 'DetailsErased':
      return { ...state, ...('session' in event && { latest: event.session }), version: state.version + 1 };
    case 'StopIgnored':
      return { ...state, version: state.version + 1 };
    default:
      return event satisfies never;
  }
}
