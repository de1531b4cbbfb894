import { type Realm, type SessionName, SessionReference } from './reference.js';

/** What said which session a call is for. In this order the first one that speaks counts. */
export type CandidateSource = 'option' | 'reference' | 'context' | 'automatic';

/** What a call brings along that names a session. */
export interface CallSessions {
  /** What the caller asks for by name. Only with `override` may the others disagree. */
  option?: { session: SessionName; override?: boolean } | undefined;
  /** What the call is made on, or is given. */
  references?: readonly SessionReference[];
}

export interface Resolved extends SessionName {
  source: CandidateSource;
}

/** A call names two sessions, or one of another ledger or tenant: it is not made. Its ids are in no message. */
export class SessionMismatch extends Error {
  override readonly name = 'SessionMismatch';
  readonly code = 'session-mismatch';
  readonly #candidates: readonly Resolved[];

  constructor(what: string, candidates: readonly Resolved[]) {
    super(`session-mismatch: ${what}`);
    this.#candidates = candidates;
  }

  /** What was named by whom. */
  get candidates(): readonly Resolved[] {
    return this.#candidates;
  }
}

export interface ResolverOptions {
  realm: Realm;
  /** The session of the call's context, if there is one: `currentContext` of `@session-ledger/client/node`. */
  context?: () => SessionName | undefined;
  /** Starts the session of this process, for calls that name none. Called once, and again only if it rejected. */
  automatic?: () => Promise<SessionName>;
}

/** The most references that one call may bring along. */
const MOST_REFERENCES = 1_000;

/**
 * Says which session a call is for: one rule for all paths that lead to a call. Explicit option, then reference,
 * then context, then the automatic session of this process; those that speak have to mean the same session under
 * the same epoch, unless the option overrides.
 */
export class SessionResolver {
  readonly #options: ResolverOptions;
  #automatic: Promise<SessionName> | undefined;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** Rejects with SessionMismatch; with a plain Error when nothing names a session and there is no automatic one. */
  async resolve(call: CallSessions = {}): Promise<Resolved> {
    const candidates = this.#candidates(call);
    const [first] = candidates;
    if (!first) return this.#automatically();
    const other = candidates.find((one) => !isSame(one, first));
    if (other && !call.option?.override) {
      const how = other.sessionId === first.sessionId ? 'another epoch of it' : 'another session';
      throw new SessionMismatch(
        `the ${first.source} names a session, the ${other.source} ${how}`,
        candidates,
      );
    }
    return first;
  }

  /** What a reference leads to, in its own session only: the call's other candidates have to agree, also with `override`. */
  async open<Target>(reference: SessionReference<Target>, call: CallSessions = {}): Promise<Target> {
    const references = [reference, ...(call.references ?? [])];
    const resolved = await this.resolve({ ...call, references });
    if (!isSame(resolved, reference.session)) {
      throw new SessionMismatch('the reference is of another session than the call', [resolved]);
    }
    return SessionReference.targetOf(reference);
  }

  /** A reference to something of a session, to be opened with this resolver or one of the same realm. */
  refer<Target>(session: SessionName, target: Target): SessionReference<Target> {
    return new SessionReference(session, this.#options.realm, target);
  }

  #candidates({ option, references = [] }: CallSessions): Resolved[] {
    if (references.length > MOST_REFERENCES) throw new RangeError(`over ${MOST_REFERENCES} references`);
    const context = this.#options.context?.();
    return [
      ...(option ? [named(option.session, 'option')] : []),
      ...references.map((one) => named(this.#ownReference(one), 'reference')),
      ...(context ? [named(context, 'context')] : []),
    ];
  }

  /** A name of another realm means nothing here, whatever overrides. */
  #ownReference({ session, realm }: SessionReference): SessionName {
    const { ledger, tenant = 'default' } = this.#options.realm;
    if (realm.ledger === ledger && realm.tenant === tenant) return session;
    const where = realm.ledger === ledger ? 'tenant' : 'ledger';
    throw new SessionMismatch(`the reference is of another ${where}`, [named(session, 'reference')]);
  }

  async #automatically(): Promise<Resolved> {
    const { automatic } = this.#options;
    if (!automatic) throw new Error('the call names no session, and there is no automatic one');
    const starting = this.#automatic ?? automatic();
    this.#automatic = starting;
    try {
      return named(await starting, 'automatic');
    } catch (error) {
      this.#automatic = undefined; // the next call may have more luck
      throw error;
    }
  }
}

/** Reads id and epoch now: an OwnedSession may rotate, and is then named as it is at present. */
function named({ sessionId, epoch }: SessionName, source: CandidateSource): Resolved {
  return { sessionId, epoch, source };
}

function isSame(one: SessionName, other: SessionName): boolean {
  return one.sessionId === other.sessionId && one.epoch === other.epoch;
}
