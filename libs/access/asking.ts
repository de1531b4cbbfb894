import type { Caller, KeyLimits } from '#api';

/** Who asks, by a credential that counts, or without one. */
export interface Asking {
  readonly caller: Caller;
  /** What the log of access calls the credential: a key's id, `token`, or `none`. */
  readonly name: string;
  readonly limits?: KeyLimits | undefined;
  /** Whether it counts no more by the database's time, in milliseconds. */
  isOver(now: number): boolean;
}
