/** A session as it is named elsewhere: with its epoch, so that an old name is told from the present one. */
export interface SessionName {
  sessionId: string;
  epoch: number;
}

/** The same name however it was written: ids are UUIDs, which some runtimes write in upper case (RFC 9562). */
export function sessionName({ sessionId, epoch }: SessionName): SessionName {
  return { sessionId: sessionId.toLowerCase(), epoch };
}

/** Where sessions mean something: one ledger and, within it, one tenant. */
export interface Realm {
  /** The ledger's address or id: whatever all of your processes call it. */
  ledger: string;
  tenant?: string;
}

/**
 * Something that belongs to a session, on its way through code that knows nothing of sessions, or through another
 * runtime: `JSON.stringify` keeps all of it but the target. It names a session, it authorises nobody.
 */
export class SessionReference<Target = unknown> {
  readonly session: SessionName;
  readonly realm: Realm;
  readonly #target: Target;

  constructor(session: SessionName, realm: Realm, target: Target) {
    this.session = sessionName(session);
    this.realm = { ledger: realm.ledger, tenant: realm.tenant ?? 'default' };
    this.#target = target;
  }

  /** For the resolver, which opens a reference only in its own session. */
  static targetOf<Target>(reference: SessionReference<Target>): Target {
    return reference.#target;
  }

  /** A reference from the JSON of another process. Throws TypeError for what is none. */
  static parse<Target = undefined>(value: unknown, target?: Target): SessionReference<Target | undefined> {
    const { session, realm } = (value ?? {}) as Partial<SessionReference>;
    const isWhole =
      typeof session?.sessionId === 'string' &&
      Number.isSafeInteger(session.epoch) &&
      typeof realm?.ledger === 'string' &&
      typeof realm.tenant === 'string';
    if (!isWhole) throw new TypeError('this is not a reference to a session');
    return new SessionReference(session, realm, target);
  }

  toJSON(): { session: SessionName; realm: Realm } {
    return { session: this.session, realm: this.realm };
  }
}
