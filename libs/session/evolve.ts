import type { SessionEvent } from './events.js';
import type { ScopeState } from './session.js';

/** The state after an event. Total: the compiler refuses an event type that is not folded here. */
export function evolve(state: ScopeState, event: SessionEvent): ScopeState {
  const version = state.version + 1;
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
    case 'InvalidReported':
      return { version, latest: event.session };
    case 'UsageRecorded':
    case 'CheckpointMarked':
    case 'SessionInvalidated':
    case 'DetailsErased':
      return 'session' in event ? { version, latest: event.session } : { ...state, version };
    case 'StopIgnored':
      return { ...state, version };
    default:
      return event satisfies never;
  }
}
