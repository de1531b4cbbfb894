import { currentOf, evolve, noSessionYet, type ScopeState, type Session, type SessionEvent } from '#session';
import type { Log, LoggedEvent } from './log.js';

/** A session as it stands from `from` on, until the next span begins. */
export interface Span {
  from: number;
  session: Session;
}

/** What the log folds to, at every position of it. */
export class Story {
  private readonly scopes = new Map<string, Span[]>();
  private readonly sessions = new Map<string, Span[]>();
  private readonly scopeOfSession = new Map<string, string>();
  private readonly scopesOf: Set<string>[] = [];
  private readonly lengths: number[];

  constructor(log: Log) {
    this.lengths = log.partitions.map((events) => events.length);
    for (const [partition, events] of log.partitions.entries()) {
      this.scopesOf[partition] = new Set();
      const states = new Map<string, ScopeState>();
      for (const logged of events) {
        const state = evolve(states.get(logged.scopeKey) ?? noSessionYet, logged.event);
        states.set(logged.scopeKey, state);
        this.tell(logged, state.latest);
      }
    }
  }

  /** How many events a partition has. */
  lengthOf(partition: number): number {
    return this.lengths[partition] ?? 0;
  }

  /** What a scope's latest session was, one span after the other. */
  spansOf(scopeKey: string): readonly Span[] {
    return this.scopes.get(scopeKey) ?? [];
  }

  /** What a session was, one span after the other. */
  spansOfSession(sessionId: string): readonly Span[] {
    return this.sessions.get(sessionId) ?? [];
  }

  latestAt(scopeKey: string, sequence: number): Session | undefined {
    return at(this.spansOf(scopeKey), sequence)?.session;
  }

  sessionAt(sessionId: string, sequence: number): Session | undefined {
    return at(this.spansOfSession(sessionId), sequence)?.session;
  }

  currentAt(scopeKey: string, sequence: number): Session | undefined {
    const latest = this.latestAt(scopeKey, sequence);
    return currentOf(latest ? { version: 0, latest } : noSessionYet);
  }

  /** All current sessions of a partition. */
  currentsAt(partition: number, sequence: number): Session[] {
    const scopes = [...(this.scopesOf[partition] ?? [])];
    return scopes.flatMap((scopeKey) => this.currentAt(scopeKey, sequence) ?? []);
  }

  /** The scope of a session, which its first event tells. */
  scopeOf(sessionId: string): string | undefined {
    return this.scopeOfSession.get(sessionId);
  }

  private tell({ partition, sequence, scopeKey, event }: LoggedEvent, latest: Session | undefined): void {
    this.scopesOf[partition]?.add(scopeKey);
    if (latest && 'session' in event) append(this.scopes, scopeKey, { from: sequence, session: latest });
    for (const session of sessionsIn(event)) {
      append(this.sessions, session.sessionId, { from: sequence, session });
      this.scopeOfSession.set(session.sessionId, scopeKey);
    }
  }
}

/** The sessions that an event shows, as they are after it. */
export function sessionsIn(event: SessionEvent): Session[] {
  return [...('previous' in event ? [event.previous] : []), ...('session' in event ? [event.session] : [])];
}

/** The span that holds a position. */
export function at(spans: readonly Span[], sequence: number): Span | undefined {
  const index = indexAt(spans, sequence);
  return index < 0 ? undefined : spans[index];
}

/** The index of the span that holds a position; -1 before the first. */
export function indexAt(spans: readonly Span[], sequence: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.from ?? 0) <= sequence) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function append(spans: Map<string, Span[]>, key: string, span: Span): void {
  const known = spans.get(key);
  if (known) known.push(span);
  else spans.set(key, [span]);
}
