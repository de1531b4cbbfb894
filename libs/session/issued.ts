import type { Epoch, Instant, Owner, SessionId } from './session.js';

/** What every command brings along, so that deciding needs no clock, no random number and no credential. */
export interface Issued {
  /** The log's time, set under the partition's lock. */
  at: Instant;
  principal: string;
  /** Whether the principal may act for owners other than itself. */
  operate: boolean;
}

/** A command for the session that it names, under the epoch that its sender believes in. */
export interface ForSession extends Issued {
  sessionId: SessionId;
  epoch: Epoch;
}

/** When `owner` is given it has to be the session's. */
export interface ByOwner extends ForSession {
  owner?: Owner;
}

/** A command before the log gives it its time. */
export type Untimed<T extends Issued> = T extends unknown ? Omit<T, 'at'> : never;
