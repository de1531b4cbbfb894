import type { Instant, ScopeKey, ScopeState, SessionEvent, SessionId, StopIgnoredWhy } from '#session';
import type { EncodedEvent, Position, Slice } from './event-bytes.js';
import { scopeIdOf } from './ids.js';
import type { NewDetails, ReceiptKey } from './submission.js';

/** Where and when an event stands, and the state of its scope after it. */
export interface Placed extends Position {
  scopeKey: ScopeKey;
  at: Instant;
  state: ScopeState;
}

export interface EventRow extends Position {
  scopeId: string;
  scopeKey: ScopeKey;
  version: number;
  epoch: number;
  at: Instant;
  type: SessionEvent['type'];
  bytes: Slice;
}

export interface ScopeRow {
  partition: number;
  scopeId: string;
  scopeKey: ScopeKey;
  state: ScopeState;
  /** The JSON of `state.latest` in the batch's bytes; absent when only the version has grown. */
  latest?: Slice;
}

export interface SessionRow {
  partition: number;
  scopeId: string;
  sessionId: SessionId;
  successorId?: SessionId;
  final?: Slice;
}

export interface DetailsRow extends NewDetails {
  partition: number;
  scopeId: string;
}

export interface ReceiptRow extends Position, ReceiptKey {
  scopeId: string;
  at: Instant;
}

export interface IgnoredStopRow extends Position {
  scopeId: string;
  stopId: string;
  why: StopIgnoredWhy;
  count: number;
}

/** What a batch writes. Sessions' JSON is not written twice: rows name its place in the events' bytes. */
export class BatchRows {
  readonly events: EventRow[] = [];
  readonly scopes = new Map<ScopeKey, ScopeRow>();
  readonly sessions = new Map<SessionId, SessionRow>();
  readonly details: DetailsRow[] = [];
  readonly receipts: ReceiptRow[] = [];
  readonly ignoredStops = new Map<string, IgnoredStopRow>();
  private readonly texts: string[] = [];
  private byteLength = 0;

  add(event: SessionEvent, encoded: EncodedEvent, placed: Placed): void {
    const { partition, sequence, scopeKey, at, state } = placed;
    const start = this.byteLength;
    const known = this.scopes.get(scopeKey);
    const scopeId = known?.scopeId ?? scopeIdOf(scopeKey);
    this.events.push({
      partition,
      sequence,
      scopeId,
      scopeKey,
      version: state.version,
      epoch: state.latest?.epoch ?? 0,
      at,
      type: event.type,
      bytes: { start, length: encoded.byteLength },
    });
    this.texts.push(encoded.text);
    this.byteLength += encoded.byteLength;

    const session = encoded.session && {
      start: start + encoded.session.start,
      length: encoded.session.length,
    };
    const previous = encoded.previous && {
      start: start + encoded.previous.start,
      length: encoded.previous.length,
    };
    const latest = session ?? known?.latest;
    this.scopes.set(scopeKey, { partition, scopeId, scopeKey, state, ...(latest && { latest }) });
    this.addSessions(event, { partition, scopeId }, session, previous);
  }

  private addSessions(
    event: SessionEvent,
    scope: { partition: number; scopeId: string },
    session: Slice | undefined,
    previous: Slice | undefined,
  ): void {
    const put = (id: SessionId, final?: Slice, successorId?: SessionId) =>
      this.sessions.set(id, {
        ...scope,
        sessionId: id,
        ...(final && { final }),
        ...(successorId && { successorId }),
      });
    switch (event.type) {
      case 'SessionStarted':
        put(event.session.sessionId);
        break;
      case 'SessionSuperseded':
      case 'SessionEnded':
        put(event.session.sessionId, session, event.session.successorId);
        break;
      case 'SessionRotated':
        put(event.previous.sessionId, previous, event.previous.successorId);
        put(event.session.sessionId);
        break;
      case 'SessionActivated':
      case 'OwnershipReleased':
      case 'OwnershipClaimed':
      case 'StopIgnored':
        break;
      default:
        event satisfies never;
    }
  }

  addReceipt(receipt: ReceiptKey, scopeKey: ScopeKey, position: Position, at: Instant): void {
    this.receipts.push({ ...receipt, ...position, scopeId: scopeIdOf(scopeKey), at });
  }

  addDetails(details: NewDetails, scopeKey: ScopeKey, partition: number): void {
    this.details.push({ ...details, partition, scopeId: scopeIdOf(scopeKey) });
  }

  countIgnoredStop(stop: {
    stopId: string;
    why: StopIgnoredWhy;
    scopeKey: ScopeKey;
    position: Position;
  }): void {
    const { stopId, why, scopeKey, position } = stop;
    const key = `${stopId} ${why}`;
    const row = this.ignoredStops.get(key);
    if (row) row.count += 1;
    else this.ignoredStops.set(key, { ...position, scopeId: scopeIdOf(scopeKey), stopId, why, count: 1 });
  }

  get isEmpty(): boolean {
    return this.events.length === 0 && this.ignoredStops.size === 0;
  }

  /** The bytes of all events, one after the other. */
  bytes(): Buffer {
    return Buffer.from(this.texts.join(''));
  }
}
