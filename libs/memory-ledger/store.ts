import { type Answer, isSameRequest, type Submission } from '#api';
import {
  type Command,
  type Draft,
  decide,
  evolve,
  type Instant,
  ignoredBy,
  MOST_ATTRIBUTE_BYTES,
  noSessionYet,
  outcomeOf,
  parseScopeKey,
  partitionOf,
  renameHandles,
  type ScopeKey,
  type ScopeState,
  type Session,
  type SessionEvent,
  type SessionId,
  sessionOf,
  sinceThen,
  startsTimer,
  timerOf,
  toldBy,
} from '#session';
import { untilWoken } from '#waiting';
import { Details } from './details.js';
import { isSameStop, knownTo } from './known-to.js';
import { Names } from './names.js';
import type { Scope, StoredEvent } from './stored-scope.js';

/** The log of each partition, and what follows from it. Decides with the service's own decider; forgets nothing. */
export class Store {
  readonly details = new Details();
  readonly names = new Names();
  /** As in its events. */
  readonly source = `/ledgers/${crypto.randomUUID()}`;
  readonly #logs: StoredEvent[][];
  readonly #scopes = new Map<ScopeKey, Scope>();
  /** Those to which something happens by time alone. */
  readonly #timed = new Set<Scope>();
  readonly #sessions = new Map<SessionId, { session: Session; scopeKey: ScopeKey }>();
  readonly #listeners = new Set<() => void>();
  #skewMs = 0;

  constructor(readonly partitions: number) {
    this.#logs = Array.from({ length: partitions }, () => []);
  }

  /** The ledger's clock, in milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#skewMs;
  }

  /** Lets time pass: what it brings about happens at its own time, in order. */
  advance(ms: number): void {
    this.settle(this.now() + ms);
    this.#skewMs += ms;
    this.wake();
  }

  /** Brings about what time has, up to now unless told otherwise: what the reaper does in the service. */
  settle(until = this.now()): void {
    const limit = instant(until);
    for (let next = this.#nextDue(limit); next; next = this.#nextDue(limit)) {
      const { scopeKey, due, state } = next;
      const { sessionId = '' } = state.latest ?? {};
      const command = { type: 'SettleSession', principal: 'reaper', operate: true, sessionId } as const;
      this.#decide({ command }, scopeKey, due ?? limit);
    }
  }

  /** A new session's id: a UUIDv7 that carries its partition, as the service's do. */
  newSessionId(partition: number): SessionId {
    const time = this.now().toString(16).padStart(12, '0');
    const random = crypto.randomUUID();
    return `${time.slice(0, 8)}-${time.slice(8)}-7${partition.toString(16).padStart(3, '0')}${random.slice(18)}`;
  }

  /** A session as it is now, or as it ended. */
  session(sessionId: SessionId): Session | undefined {
    return this.#sessions.get(sessionId)?.session;
  }

  scopeOf(sessionId: SessionId): Scope | undefined {
    return this.#scopes.get(this.#sessions.get(sessionId)?.scopeKey as ScopeKey);
  }

  /** Undefined before its first session. */
  scope(scopeKey: ScopeKey): Scope | undefined {
    return this.#scopes.get(scopeKey);
  }

  /** All scopes, partition by partition. */
  scopes(): Scope[] {
    return [...this.#scopes.values()].sort((a, b) => a.partition - b.partition || a.number - b.number);
  }

  log(partition: number): readonly StoredEvent[] {
    return this.#logs[partition] ?? [];
  }

  /** The last sequence of each partition. */
  heads(): number[] {
    return this.#logs.map((log) => log.length);
  }

  /** Decides one command and keeps what follows from it, once what time has brought about is kept. */
  submit(submission: Submission): Answer {
    this.settle();
    const { receipt, command } = submission;
    const scopeKey = this.#scopeOf(submission);
    if (scopeKey === undefined) return { kind: 'unknown-session' };
    const scope = this.#scopes.get(scopeKey);
    const before = receipt && scope?.receipts.get(receipt.key);
    if (!before || !scope) return this.#shown(this.#decide(submission, scopeKey, instant(this.now())));
    if (!isSameRequest(before.fingerprint, receipt)) return { kind: 'key-reused' };
    return this.#shown(replayed(before.stored, command, scope.state));
  }

  /** The scope that a command is about; undefined when it names a session that its tenant does not have. */
  #scopeOf({ command, scopeKey, tenant }: Submission): ScopeKey | undefined {
    if ('scope' in command) return scopeKey;
    const named = this.scopeOf(command.sessionId)?.scopeKey;
    return named && (tenant === undefined || parseScopeKey(named).tenant === tenant) ? named : undefined;
  }

  /** With the attributes of all sessions: those that were erased are not among them. */
  #shown(answer: Answer): Answer {
    if (answer.kind === 'accepted' || answer.kind === 'refused') answer.attributes = this.details.bodies;
    return answer;
  }

  /** Resolves at the next event, when time was moved or brings something about, after `ms`, or when `signal` aborts. */
  changed(ms: number, signal: AbortSignal): Promise<void> {
    const due = this.#nextDue()?.due;
    const dueMs = due === undefined ? ms : Date.parse(due) - this.now();
    return untilWoken({ ms: Math.min(ms, dueMs), signal }, (wake) => {
      this.#listeners.add(wake);
      return () => this.#listeners.delete(wake);
    });
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** The scope whose time is over first, if that is by `limit`. */
  #nextDue(limit?: Instant): Scope | undefined {
    let next: Scope | undefined;
    for (const scope of this.#timed) {
      const { due } = scope;
      if (due === undefined || (limit !== undefined && due > limit)) continue;
      if (next?.due === undefined || due < next.due) next = scope;
    }
    return next;
  }

  #setDue(scope: Scope, due: Instant | undefined): void {
    scope.due = due;
    if (due === undefined) this.#timed.delete(scope);
    else this.#timed.add(scope);
  }

  #decide(
    {
      command: draft,
      receipt,
      details,
      patch,
      traceparent,
    }: Pick<Submission, 'command' | 'receipt' | 'details' | 'patch' | 'traceparent'>,
    scopeKey: ScopeKey,
    time: Instant,
  ): Answer {
    const scope = this.#scopes.get(scopeKey) ?? this.#newScope(scopeKey);
    const last = this.#logs[scope.partition]?.at(-1);
    const at = last && last.at > time ? last.at : time;
    const called = renameHandles(draft, (handle) => this.names.called(scopeKey, handle));
    const command = { ...called, at } as Command;
    let kept = details;
    if (command.type === 'ChangeAttributes' && patch) {
      kept = this.details.patched(scope.state.latest, patch);
      const bytes = Buffer.byteLength(kept?.body ?? '');
      if (bytes > MOST_ATTRIBUTE_BYTES) return { kind: 'attributes-too-large', bytes };
      command.attributesDigest = kept?.digest;
    }
    const due = scope.due !== undefined && at >= scope.due;
    const decision = decide(command, { ...knownTo(command, scope, this), due });
    const commandId = crypto.randomUUID();
    for (const [index, event] of decision.events.entries()) {
      const asked = index >= (decision.settled ?? 0) && {
        principal: command.principal,
        ...(traceparent !== undefined && { traceparent }),
      };
      this.#append(scope, event, at, { commandid: commandId, ...asked });
    }
    const stored = scope.events.at(-1);
    const position = { partition: scope.partition, sequence: this.log(scope.partition).length };
    if ('refusal' in decision) {
      const { refusal, ignored } = decision;
      if (ignored && command.type === 'EndSession') {
        const isSame = ({ event }: StoredEvent) =>
          event.type === 'StopIgnored' && event.why === ignored && isSameStop(event, command);
        const recorded = scope.events.findLast(isSame);
        if (recorded) recorded.count = (recorded.count ?? 0) + 1;
      }
      return { kind: 'refused', refusal, position };
    }
    const { events, handles = [], renews, settled: _, ...accepted } = decision;
    const dropped = handles.flatMap((change) => this.names.change(change, scopeKey, at));
    if (renews) this.#setDue(scope, timerOf(accepted.session, at)?.until);
    // The command's own event: not what time alone had brought about before it.
    const isObeyed = stored && events.length > 0 && outcomeOf(stored.event) === accepted.outcome;
    if (isObeyed && receipt) scope.receipts.set(receipt.key, { fingerprint: receipt.fingerprint, stored });
    if (isObeyed && kept && accepted.session.attributesDigest === kept.digest) {
      this.details.keep(kept);
      scope.details.add(kept.digest);
    }
    return { kind: 'accepted', ...accepted, ...(dropped.length > 0 && { dropped }), position };
  }

  #newScope(scopeKey: ScopeKey): Scope {
    return {
      scopeKey,
      partition: partitionOf(scopeKey, this.partitions),
      number: this.#scopes.size + 1,
      state: noSessionYet,
      events: [],
      due: undefined,
      details: new Set(),
      receipts: new Map(),
    };
  }

  #append(
    scope: Scope,
    event: SessionEvent,
    at: Instant,
    by: { commandid: string; principal?: string; traceparent?: string },
  ): void {
    const { scopeKey, partition } = scope;
    this.#scopes.set(scopeKey, scope);
    scope.state = evolve(scope.state, event);
    if ('session' in event && startsTimer(event)) this.#setDue(scope, timerOf(event.session, at)?.until);
    for (const session of toldBy(event, at).sessions) {
      this.#sessions.set(session.sessionId, { session, scopeKey });
    }
    if (event.type === 'DetailsErased') {
      for (const digest of scope.details) this.details.forget(digest);
      scope.details.clear();
      this.names.erase(scopeKey);
    }
    const log = this.#logs[partition] as StoredEvent[];
    const sequence = log.length + 1;
    const { version } = scope.state;
    const { type, ...data } = event;
    const document = {
      specversion: '1.0',
      id: `${partition}:${sequence}`,
      source: this.source,
      type: `session-ledger.${type}.v1`,
      subject: scopeKey,
      time: at,
      datacontenttype: 'application/json',
      partitionkey: scopeKey,
      partition,
      sequence: String(sequence).padStart(16, '0'),
      ...by,
      data: { version, ...data },
    };
    const stored = { partition, sequence, scopeKey, version, at, event, json: JSON.stringify(document) };
    log.push(stored);
    scope.events.push(stored);
    this.wake();
  }
}

function instant(ms: number): Instant {
  return new Date(ms).toISOString();
}

/** The answer of a command that was obeyed before, from its event, and what is current now. */
function replayed({ event, partition, sequence }: StoredEvent, command: Draft, now: ScopeState): Answer {
  const outcome = outcomeOf(event);
  const session = sessionOf(event);
  if (!outcome || !session) throw new Error(`a receipt names a ${event.type}`);
  const retry = 'retryAfter' in event && { retryAfter: event.retryAfter };
  const told = { outcome, session, ...retry, ...sinceThen(session, now), ...ignoredBy(command, outcome) };
  return { kind: 'accepted', ...told, position: { partition, sequence }, replayed: true };
}
