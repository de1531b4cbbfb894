/** An outside name as the log knows it: never its value, which may be a secret. */
export interface Handle {
  /** What sort of name it is, like `mcp-transport`; stands in clear. */
  kind: string;
  /** Of its keyed hash and its scope's salt: it says nothing any more once the salt is erased. */
  hash: string;
}

/** `scope`: routing to whatever is current, no history. `session`: stays with that session, also once it has ended. */
export interface NewHandle extends Handle {
  binds: 'scope' | 'session';
}

/**
 * Who has a handle: this scope (`sessionId`: and which of its sessions; `invalid`: one that was reported so), or another
 * one. `idle`: the handle binds to that scope, which has no current session, so that it means nothing.
 */
export type HandleHolder =
  | { scope: 'this'; sessionId?: string; invalid?: true }
  | { scope: 'another'; idle?: true };

/** What becomes of a handle: it names the scope, or a session, or nothing any more. */
export interface HandleChange extends Handle {
  to: 'scope' | 'nothing' | { sessionId: string };
}

/** A session is bound to at most this many handles. */
export const MOST_SESSION_HANDLES = 8;
/** A scope keeps this many handles that bind to it; the next one takes the place of the oldest. */
export const MOST_SCOPE_HANDLES = 32;
