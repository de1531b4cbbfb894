import {
  type Command,
  currentOf,
  decide,
  evolve,
  type Instant,
  type Json,
  mergePatch,
  noSessionYet,
  type Outcome,
  partitionOf,
  type Refusal,
  type ScopeKey,
  type ScopeState,
  type Session,
  type SessionEvent,
  type StopIgnoredWhy,
  timerOf,
} from '#session';

/** An event document, as the ledger's channels carry it. */
export interface StoredEvent {
  partition: number;
  sequence: number;
  scopeKey: ScopeKey;
  version: number;
  json: string;
}

/** What became of a command. */
export type Done =
  | {
      outcome: Outcome;
      session: Session;
      current?: Session;
      position: { partition: number; sequence: number };
    }
  | { refusal: Refusal };

interface ScopeRecord {
  state: ScopeState;
  /** When the time of the current session is over. */
  due: Instant | undefined;
  ignored: Map<string, StopIgnoredWhy[]>;
}

type Draft<T> = T extends unknown ? Omit<T, 'at'> : never;

/** Scopes, sessions and events in memory. Decides with the service's own decider; nothing is ever forgotten. */
export class Store {
  readonly partitions: number;
  readonly #now: () => number;
  readonly #source: string;
  readonly #scopes = new Map<ScopeKey, ScopeRecord>();
  readonly #sessions = new Map<string, { session: Session; scopeKey: ScopeKey }>();
  readonly #attributes = new Map<string, string>();
  readonly #logs: StoredEvent[][];
  readonly #listeners = new Set<() => void>();

  constructor(partitions: number, now: () => number) {
    this.partitions = partitions;
    this.#now = now;
    this.#source = `/ledgers/${crypto.randomUUID()}`;
    this.#logs = Array.from({ length: partitions }, () => []);
  }

  /** An id for a session of a scope, or for the successor of one. */
  newSessionId(of: ScopeKey | string): string {
    const partition = of.includes('/')
      ? partitionOf(of as ScopeKey, this.partitions)
      : Number.parseInt(of.slice(15, 18), 16);
    const id = crypto.randomUUID();
    return `${id.slice(0, 14)}7${partition.toString(16).padStart(3, '0')}${id.slice(18)}`;
  }

  /** Keeps attributes; tells what stands for them in events. */
  keepAttributes(attributes: object): string {
    const digest = crypto.randomUUID();
    this.#attributes.set(digest, JSON.stringify(attributes));
    return digest;
  }

  /** A session as readers see it. */
  shown(session: Session): Session & { attributes: unknown } {
    const json = session.attributesDigest && this.#attributes.get(session.attributesDigest);
    return { ...session, attributes: json ? JSON.parse(json) : {} };
  }

  session(sessionId: string): Session | undefined {
    const found = this.#sessions.get(sessionId);
    if (found) this.#settle(found.scopeKey);
    return this.#sessions.get(sessionId)?.session;
  }

  /** The scope's last session, which may have ended. */
  latest(scopeKey: ScopeKey): Session | undefined {
    this.#settle(scopeKey);
    return this.#scopes.get(scopeKey)?.state.latest;
  }

  /** All current sessions of a partition. */
  current(partition: number): Session[] {
    for (const scopeKey of this.#scopes.keys()) this.#settle(scopeKey);
    const all = [...this.#scopes].filter(
      ([scopeKey]) => partitionOf(scopeKey, this.partitions) === partition,
    );
    return all.map(([, { state }]) => currentOf(state)).filter((one) => one !== undefined);
  }

  log(partition: number): readonly StoredEvent[] {
    for (const scopeKey of this.#scopes.keys()) this.#settle(scopeKey);
    return this.#logs[partition] ?? [];
  }

  events(scopeKey: ScopeKey): StoredEvent[] {
    return this.log(partitionOf(scopeKey, this.partitions)).filter((event) => event.scopeKey === scopeKey);
  }

  /** Resolves at the next event, or soon enough to see what time brings about by itself. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, 50);
      signal.addEventListener('abort', done, { once: true });
      this.#listeners.add(done);
      if (signal.aborted) done();
    });
  }

  /** Merges a patch (RFC 7396) into the attributes of a scope's current session; undefined when nothing is left. */
  patched(scopeKey: ScopeKey, patch: object): string | undefined {
    const current = this.#scopes.get(scopeKey)?.state.latest;
    const digest = current?.attributesDigest;
    const before = digest === undefined ? {} : JSON.parse(this.#attributes.get(digest) ?? '{}');
    const after = mergePatch(before, patch as Json);
    if (JSON.stringify(after) === JSON.stringify(before)) return digest;
    return Object.keys(after as object).length === 0 ? undefined : this.keepAttributes(after as object);
  }

  scopeOf(sessionId: string): ScopeKey | undefined {
    return this.#sessions.get(sessionId)?.scopeKey;
  }

  /** Decides one command and keeps what follows from it. */
  execute(draft: Draft<Command>, scopeKey: ScopeKey): Done {
    const record = this.#scopes.get(scopeKey) ?? { state: noSessionYet, due: undefined, ignored: new Map() };
    this.#scopes.set(scopeKey, record);
    const at = new Date(this.#now()).toISOString();
    const command = { ...draft, at } as Command;
    const named = 'sessionId' in draft ? this.#sessions.get(draft.sessionId)?.session : undefined;
    const past = named && named.sessionId !== record.state.latest?.sessionId ? named : undefined;
    const successor = past?.successorId && this.#sessions.get(past.successorId)?.session;
    const stop =
      command.type === 'EndSession' ? JSON.stringify([command.sessionId, command.origin, command.epoch]) : '';
    const decision = decide(command, {
      ...record.state,
      due: record.due !== undefined && at >= record.due,
      ignored: record.ignored.get(stop) ?? [],
      ...(past && { past }),
      ...(successor && { pastSuccessor: successor }),
    });
    for (const event of decision.events) this.#append(record, scopeKey, event, at);
    if ('refusal' in decision) {
      if (decision.ignored) record.ignored.set(stop, [...(record.ignored.get(stop) ?? []), decision.ignored]);
      return { refusal: decision.refusal };
    }
    if (decision.renews) record.due = dueOf(record.state, at);
    const partition = partitionOf(scopeKey, this.partitions);
    const position = { partition, sequence: this.#logs[partition]?.length ?? 0 };
    const { outcome, session, current } = decision;
    return { outcome, session, position, ...(current && { current }) };
  }

  #settle(scopeKey: ScopeKey): void {
    const { due, state } = this.#scopes.get(scopeKey) ?? {};
    if (due === undefined || !state?.latest || new Date(this.#now()).toISOString() < due) return;
    const { sessionId } = state.latest;
    this.execute({ type: 'SettleSession', principal: 'reaper', operate: true, sessionId }, scopeKey);
  }

  #append(record: ScopeRecord, scopeKey: ScopeKey, event: SessionEvent, at: Instant): void {
    record.state = evolve(record.state, event);
    record.due = dueOf(record.state, at);
    if ('session' in event) this.#sessions.set(event.session.sessionId, { session: event.session, scopeKey });
    if ('previous' in event)
      this.#sessions.set(event.previous.sessionId, { session: event.previous, scopeKey });
    const partition = partitionOf(scopeKey, this.partitions);
    const log = this.#logs[partition] as StoredEvent[];
    const sequence = log.length + 1;
    const { type, ...data } = event;
    const { version } = record.state;
    const json = JSON.stringify({
      specversion: '1.0',
      id: `${partition}:${sequence}`,
      source: this.#source,
      type: `session-ledger.${type}.v1`,
      subject: scopeKey,
      time: at,
      datacontenttype: 'application/json',
      partitionkey: scopeKey,
      partition,
      sequence: String(sequence).padStart(16, '0'),
      commandid: crypto.randomUUID(),
      data: { version, ...data },
    });
    log.push({ partition, sequence, scopeKey, version, json });
    for (const listener of [...this.#listeners]) listener();
  }
}

function dueOf(state: ScopeState, at: Instant): Instant | undefined {
  const current = currentOf(state);
  return current && timerOf(current, at)?.until;
}
