import type { NewDetails, ReceiptKey } from '#api';
import {
  type Instant,
  kindOf,
  type Position,
  type ScopeKey,
  type ScopeState,
  type Session,
  type SessionEvent,
  type SessionId,
  type StopIgnoredWhy,
  type Timer,
} from '#session';
import type { EncodedEvent, Slice } from '../event-bytes.js';

/** Where and when something stands in the log. */
export interface Stamp extends Position {
  scopeId: string;
  scopeKey: ScopeKey;
  at: Instant;
}

/** An event's stamp, and the state of its scope after it. */
export interface Placed extends Stamp {
  state: ScopeState;
}

export interface EventRow extends Position {
  scopeId: string;
  scopeKey: ScopeKey;
  version: number;
  epoch: number;
  at: Instant;
  type: SessionEvent['type'];
  pieces: readonly string[];
  byteLength: number;
  /** The pieces as they are written, once they are: all that is made of the event are parts of this. */
  bytes: Buffer | undefined;
}

/** What stands in an event's bytes already. */
export interface Part extends Slice {
  of: EventRow;
}

export interface ScopeRow {
  partition: number;
  scopeId: string;
  scopeKey: ScopeKey;
  version: number;
  latest: Session;
  /** The JSON of `latest`. */
  json: Part | string;
  /** It has no row yet. */
  isNew: boolean;
}

export interface SessionRow {
  partition: number;
  scopeId: string;
  sessionId: SessionId;
  successorId: SessionId | undefined;
  final: Part | undefined;
  /** It has no row yet. */
  isNew: boolean;
}

export interface LeaseRow {
  partition: number;
  sessionId: SessionId;
  epoch: number;
  tenant: string;
  principal: string;
  /** Undefined: nothing happens to the session by time alone any more. */
  timer: Timer | undefined;
}

export interface DetailsRow {
  partition: number;
  scopeId: string;
  digest: string;
  salt: Buffer;
  body: string;
}

export interface ReceiptRow extends Position, ReceiptKey {
  scopeId: string;
  at: Instant;
}

type IgnoredStop = Pick<IgnoredStopRow, 'sessionId' | 'stopId' | 'why'>;

export interface IgnoredStopRow extends Position {
  scopeId: string;
  sessionId: SessionId;
  stopId: string;
  why: StopIgnoredWhy | 'transient';
  count: number;
}

export interface CheckpointRow extends Position {
  scopeId: string;
  label: string;
  sessionId: SessionId;
  at: Instant;
}

/** What a batch writes. A session's JSON is made once: rows name its place in its event's bytes. */
export class BatchRows {
  readonly events: EventRow[] = [];
  readonly scopes = new Map<ScopeKey, ScopeRow>();
  readonly leases = new Map<SessionId, LeaseRow>();
  readonly sessions = new Map<SessionId, SessionRow>();
  details: DetailsRow[] = [];
  /** Scopes whose stored details go; those in `details` came after that. */
  readonly erased = new Map<string, { partition: number; scopeId: string }>();
  readonly receipts: ReceiptRow[] = [];
  readonly ignoredStops = new Map<string, IgnoredStopRow>();
  readonly checkpoints: CheckpointRow[] = [];

  add(event: SessionEvent, encoded: EncodedEvent, placed: Placed): void {
    const { partition, sequence, scopeId, scopeKey, at, state } = placed;
    const { version, latest } = state;
    if (!latest) throw new Error(`a ${event.type} came before any session`);
    const { pieces, byteLength } = encoded;
    const { type } = event;
    const { epoch } = latest;
    const of: EventRow = {
      partition,
      sequence,
      scopeId,
      scopeKey,
      version,
      epoch,
      at,
      type,
      pieces,
      byteLength,
      bytes: undefined,
    };
    this.events.push(of);
    const within = (slice: Slice | undefined) => slice && { of, ...slice };
    const session = within(encoded.session);
    const before = this.scopes.get(scopeKey);
    const json = session ?? before?.json ?? JSON.stringify(latest);
    const isNew = before?.isNew ?? version === 1;
    this.scopes.set(scopeKey, { partition, scopeId, scopeKey, version, latest, json, isNew });
    this.addSessions(event, { partition, scopeId }, session, within(encoded.previous));
  }

  private addSessions(
    event: SessionEvent,
    scope: { partition: number; scopeId: string },
    session: Part | undefined,
    previous: Part | undefined,
  ): void {
    const { partition, scopeId } = scope;
    const put = (sessionId: SessionId, isNew: boolean, final?: Part, successorId?: SessionId) =>
      this.sessions.set(sessionId, { partition, scopeId, sessionId, final, successorId, isNew });
    /** Of a session that has ended the row is its last state. A checkpoint leaves that as it was. */
    const last = ({ status, sessionId, successorId }: Session, final: Part | undefined) => {
      if (status !== 'ended' || event.type === 'CheckpointMarked') return;
      put(sessionId, this.sessions.get(sessionId)?.isNew ?? false, final, successorId);
    };
    if ('previous' in event) last(event.previous, previous);
    if (!('session' in event)) return;
    if (kindOf(event).begins) put(event.session.sessionId, true);
    else last(event.session, session);
  }

  addReceipt(receipt: ReceiptKey, { partition, sequence, scopeId, at }: Stamp): void {
    this.receipts.push({
      partition,
      sequence,
      scopeId,
      at,
      key: receipt.key,
      fingerprint: receipt.fingerprint,
    });
  }

  addDetails({ digest, salt, body }: NewDetails, { partition, scopeId }: Stamp): void {
    this.details.push({ partition, scopeId, digest, salt, body });
  }

  addCheckpoint(label: string, sessionId: SessionId, { partition, sequence, scopeId, at }: Stamp): void {
    this.checkpoints.push({ partition, sequence, scopeId, at, label, sessionId });
  }

  eraseDetails(partition: number, scopeId: string): void {
    this.erased.set(scopeId, { partition, scopeId });
    this.details = this.details.filter((row) => row.scopeId !== scopeId);
  }

  /** An ignored stop, or a report of a transient failure. */
  countIgnoredStop(stop: IgnoredStop, { partition, sequence, scopeId }: Stamp): void {
    const { stopId, why, sessionId } = stop;
    const key = `${stopId} ${why}`;
    const row = this.ignoredStops.get(key);
    if (row) row.count += 1;
    else this.ignoredStops.set(key, { partition, sequence, scopeId, sessionId, stopId, why, count: 1 });
  }

  setLease(
    { sessionId, epoch, principal }: Session,
    { partition, scopeKey }: Pick<Stamp, 'partition' | 'scopeKey'>,
    timer: Timer | undefined,
  ): void {
    const tenant = scopeKey.slice(0, scopeKey.indexOf('/'));
    this.leases.set(sessionId, { partition, sessionId, epoch, tenant, principal, timer });
  }
}
