import type { CallOptions } from '../calls/transport.js';
import { isProblem } from '../errors.js';
import type { Handle } from '../generated/api.js';
import type { LedgerClient } from '../ledger-client.js';
import { type Realm, type SessionName, SessionReference, sessionName } from './reference.js';

/** What said which session a call is for. In this order the first one that speaks counts. */
export type CandidateSource = 'option' | 'reference' | 'context' | 'automatic';

/** What a call brings along that names a session; a handle does so only where a ledger can be asked. */
export interface CallSessions {
  /** What the caller asks for by name. Only with `override` may the others disagree. */
  option?: { session: SessionName | Handle; override?: boolean } | undefined;
  /** What the call is made on, or is given. */
  references?: readonly (SessionReference | Handle)[];
}

export type Candidate = (SessionName | Handle) & { source: CandidateSource };

export interface Resolved extends SessionName {
  source: CandidateSource;
}

/** A call names two sessions, or one of another ledger or tenant: it is not made. Its ids are in no message. */
export class SessionMismatch extends Error {
  override readonly name = 'SessionMismatch';
  readonly code = 'session-mismatch';
  readonly #candidates: readonly Candidate[];

  constructor(what: string, candidates: readonly Candidate[]) {
    super(`session-mismatch: ${what}`);
    this.#candidates = candidates;
  }

  /** What was named by whom. */
  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }
}

interface Sources {
  /** The session of the call's context, if there is one: `currentContext` of `@session-ledger/client/node`. */
  context?: () => SessionName | Handle | undefined;
  /** Starts the session of this process, for calls that name none. Called once, and again only if it rejected. */
  automatic?: () => Promise<SessionName>;
}

/**
 * With a ledger, what a call names has to be current there: it is asked about handles, and about sessions that its
 * client does not hold. Without one, sessions are only compared with each other. `realm`: that ledger's address
 * unless set.
 */
export type ResolverOptions = Sources &
  ({ ledger: LedgerClient; realm?: Realm } | { ledger?: undefined; realm: Realm });

/** The most references that one call may bring along. */
const MOST_REFERENCES = 1_000;
/** The most names that the ledger takes in one question. */
const MOST_ASKED = 16;

/**
 * Says which session a call is for: one rule for all paths that lead to a call. Explicit option, then reference,
 * then context, then the automatic session of this process; those that speak have to mean the same session under
 * the same epoch, unless the option overrides.
 */
export class SessionResolver {
  readonly #options: ResolverOptions;
  readonly #realm: Realm;
  #automatic: Promise<SessionName> | undefined;

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#realm = options.ledger ? (options.realm ?? { ledger: options.ledger.url }) : options.realm;
  }

  /**
   * Rejects with SessionMismatch; with a plain Error when nothing names a session and there is no automatic one.
   * Where the ledger is asked, also with a LedgerError: `stale-session`, `stale-epoch` and the like say by `current`
   * what the session is today, `unknown-session` and `unknown-handle` that there is none such. `how`: of that question.
   */
  async resolve(call: CallSessions = {}, how?: CallOptions): Promise<Resolved> {
    const candidates = this.#candidates(call);
    if (candidates.length === 0) candidates.push(await this.#automatically());
    const deciding = distinct(call.option?.override ? candidates.slice(0, 1) : candidates);
    const [name, other] = deciding.filter(isName);
    if (name && other) {
      const what = other.sessionId === name.sessionId ? 'another epoch of it' : 'another session';
      throw new SessionMismatch(
        `the ${name.source} names a session, the ${other.source} ${what}`,
        candidates,
      );
    }
    // What this process holds it knows by itself.
    const isKnown = name && deciding.length === 1 && (this.#options.ledger?.holds(name) ?? true);
    return isKnown ? name : this.#ask(deciding, how);
  }

  /** What a reference leads to, in its own session only: the call's other candidates have to agree, also with `override`. */
  async open<Target>(
    reference: SessionReference<Target>,
    call: CallSessions = {},
    how?: CallOptions,
  ): Promise<Target> {
    const references = [reference, ...(call.references ?? [])];
    const resolved = await this.resolve({ ...call, references }, how);
    if (!isSame(resolved, reference.session)) {
      throw new SessionMismatch('the reference is of another session than the call', [resolved]);
    }
    return SessionReference.targetOf(reference);
  }

  /** A reference to something of a session, to be opened with this resolver or one of the same realm. */
  refer<Target>(session: SessionName, target: Target): SessionReference<Target> {
    return new SessionReference(session, this.#realm, target);
  }

  #candidates({ option, references = [] }: CallSessions): Candidate[] {
    if (references.length > MOST_REFERENCES) throw new RangeError(`over ${MOST_REFERENCES} references`);
    const context = this.#options.context?.();
    return [
      ...(option ? [named(option.session, 'option')] : []),
      ...references.map((one) =>
        named(one instanceof SessionReference ? this.#ownReference(one) : one, 'reference'),
      ),
      ...(context ? [named(context, 'context')] : []),
    ];
  }

  /** A name of another realm means nothing here, whatever overrides. */
  #ownReference({ session, realm }: SessionReference): SessionName {
    const { ledger, tenant = 'default' } = this.#realm;
    if (realm.ledger === ledger && realm.tenant === tenant) return session;
    const where = realm.ledger === ledger ? 'tenant' : 'ledger';
    throw new SessionMismatch(`the reference is of another ${where}`, [named(session, 'reference')]);
  }

  async #automatically(): Promise<Candidate> {
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

  /** What the ledger says that all of these mean. A handle that nobody has bound is passed over beside others. */
  async #ask(candidates: readonly Candidate[], how?: CallOptions): Promise<Resolved> {
    const { ledger } = this.#options;
    if (!ledger) throw new TypeError('a handle means a session only to a ledger: the resolver has none');
    if (candidates.length > MOST_ASKED) throw new RangeError(`over ${MOST_ASKED} different names`);
    const body = { candidates: candidates.map(({ source: _, ...name }) => name) };
    try {
      const { session, unknown } = await ledger.call('resolve', { body }, how);
      const by = candidates.find((_, index) => !unknown.includes(index)) ?? (candidates[0] as Candidate);
      return { sessionId: session.sessionId, epoch: session.epoch, source: by.source };
    } catch (error) {
      if (!isProblem(error, 'session-mismatch')) throw error;
      throw new SessionMismatch('to the ledger the names mean different sessions', candidates);
    }
  }
}

/** Reads what it says now: an OwnedSession may rotate, and is then named as it is at present. */
function named(one: SessionName | Handle, source: CandidateSource): Candidate {
  return 'kind' in one ? { kind: one.kind, value: one.value, source } : { ...sessionName(one), source };
}

function isName(one: Candidate): one is Resolved {
  return 'sessionId' in one;
}

function isSame(one: SessionName, other: SessionName): boolean {
  return one.sessionId === other.sessionId && one.epoch === other.epoch;
}

/** Each of them once: where it was said first. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ source: _, ...name }) => {
    const text = JSON.stringify(name);
    return !seen.has(text) && seen.add(text);
  });
}
