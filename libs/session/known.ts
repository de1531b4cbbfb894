import type { StopIgnoredWhy } from './events.js';
import type { HandleHolder } from './handles.js';
import type { Instant, ScopeState, Session } from './session.js';

/** A scope's state and what else the command at hand has to know. */
export interface Known extends ScopeState {
  /** The session that the command names, when it is not the latest; it has ended. */
  past?: Session;
  /** The session that followed `past`, as it is now. */
  pastSuccessor?: Session;
  /** Whether the time of the current session is over: its lease, its grace, or its draining. */
  due?: boolean;
  /** Until when the reservation of a released session goes on, where an outage has put its end off. */
  reservedUntil?: Instant;
  /** For EraseScope: whether there are details or handles of the scope, of any of its sessions. */
  detailed?: boolean;
  /** Why stops of the same session, origin and epoch were ignored, as recorded before. */
  ignored?: readonly StopIgnoredWhy[];
  /** Who has the handles that the command names, by hash; absent: nobody. */
  handles?: ReadonlyMap<string, HandleHolder>;
  /** Whether the same failure of the same session was reported under the same epoch before. */
  reported?: boolean;
  /**
   * For a recovery: the nearest session that the latest one continues and that was not reported invalid, at
   * most 100 back.
   */
  lastValid?: Session;
  /** The session of the checkpoint that the command names. */
  checkpoint?: Session;
  /** How many checkpoints the scope has. */
  checkpoints?: number;
}
