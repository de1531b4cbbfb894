import type { Answer, DroppedHandle, NewDetails, ReceiptKey, Submission } from '#api';
import {
  type Command,
  type Decision,
  decide,
  type EndSession,
  evolve,
  type Instant,
  MOST_ATTRIBUTE_BYTES,
  mergePatch,
  noSessionYet,
  outcomeOf,
  parseScopeKey,
  type ReportInvalid,
  type ScopeKey,
  type ScopeState,
  type Session,
  type SessionEvent,
  type StopIgnoredWhy,
  startsTimer,
  timerOf,
} from '#session';
import { encodeEvent } from '../event-bytes.js';
import { newDetails } from '../ids.js';
import { Knowledge, reportOf, stopOf } from './knowledge.js';
import { checkpointKey, type Head, type Loaded, type NamedSession, type Receipt } from './loaded.js';
import { replay } from './replayed-answer.js';
import { BatchRows, type Placed, type Stamp } from './rows.js';

/**
 * Decides a batch in memory: each command in arrival order, on the state that those before it left. What it
 * puts into `rows` is not true until they are committed.
 */
export class Batch {
  readonly rows = new BatchRows();
  /** Digests of what its answers show and that was not loaded with it, by their partitions. */
  readonly unread = new Map<string, number>();
  private readonly knowledge: Knowledge;
  private readonly times = new Map<number, Instant>();

  constructor(
    readonly loaded: Loaded,
    private readonly source: string,
  ) {
    this.knowledge = new Knowledge(loaded, this.rows);
  }

  /** Decides one command. Throws only on a bug, and has then kept nothing of it. */
  add(submission: Submission): Answer {
    const answer = this.answer(submission);
    if (answer.kind === 'accepted') {
      this.show(answer, answer.session, submission);
      if (answer.current) this.show(answer, answer.current, submission);
    } else if (answer.kind === 'refused' && answer.refusal.current) {
      this.show(answer, answer.refusal.current, submission);
    }
    return answer;
  }

  /** Lets an answer show the attributes of a session: nothing is left to be read once the batch is committed. */
  private show(
    answer: Extract<Answer, { attributes?: unknown }>,
    { attributesDigest: digest }: Session,
    { partition }: Submission,
  ): void {
    if (digest === undefined) return;
    const { attributes } = this.loaded;
    answer.attributes = attributes;
    if (!attributes.has(digest)) this.unread.set(digest, partition);
  }

  private answer(submission: Submission): Answer {
    const { receipt, partition } = submission;
    const scopeKey = this.scopeOf(submission);
    if (scopeKey === undefined) return { kind: 'unknown-session' };
    const earlier = receipt && this.earlier(receipt, scopeKey);
    const state = this.loaded.scopes.get(scopeKey) ?? noSessionYet;
    if (receipt && earlier) return replay(earlier, receipt, submission.command, state);

    const at = this.timeOf(partition);
    const scopeId = this.loaded.scopeIds.get(scopeKey) ?? '';
    const command: Command = { at, ...this.loaded.handles.called(submission.command, scopeId) };
    if (command.type === 'ChangeAttributes' && submission.patch) {
      const details = this.patched(state.latest, submission.patch);
      const bytes = Buffer.byteLength(details?.body ?? '');
      if (bytes > MOST_ATTRIBUTE_BYTES) return { kind: 'attributes-too-large', bytes };
      command.attributesDigest = details?.digest;
      if (details) submission.details = details;
    }
    const decision = decide(command, this.knowledge.of(command, state, scopeKey));
    const stamp = this.keep(decision, { submission, scopeKey, state, at });
    const position = { partition, sequence: stamp.sequence };
    const dropped = this.keepHandles(decision, stamp);
    if ('refusal' in decision) {
      if (decision.ignored && command.type === 'EndSession') {
        this.count(command, decision.ignored, stamp);
      }
      return { kind: 'refused', refusal: decision.refusal, position };
    }
    if (command.type === 'ReportInvalid' && decision.outcome === 'reported') this.countReport(command, stamp);
    const { events: _, handles: __, settled: ___, ...accepted } = decision;
    return { kind: 'accepted', position, ...accepted, ...(dropped.length > 0 && { dropped }) };
  }

  /** The scope that a command is about; undefined when it names a session that its tenant does not have. */
  private scopeOf({ command, scopeKey, tenant }: Submission): ScopeKey | undefined {
    if ('scope' in command) return scopeKey;
    const named = this.loaded.sessions.get(command.sessionId);
    if (!named || tenant === undefined) return named?.scopeKey;
    return parseScopeKey(named.scopeKey).tenant === tenant ? named.scopeKey : undefined;
  }

  /** The attributes after a merge patch; undefined when none are left. The same ones keep their digest. */
  private patched(
    latest: Session | undefined,
    patch: NonNullable<Submission['patch']>,
  ): NewDetails | undefined {
    const digest = latest?.attributesDigest;
    // Erased attributes are gone for a patch, too.
    const before = (digest && this.loaded.attributes.get(digest)) ?? '{}';
    const body = JSON.stringify(mergePatch(JSON.parse(before), patch));
    if (body === '{}') return undefined;
    // The same ones are there already, with their salt.
    return digest && body === before ? { ...newDetails(body), digest } : newDetails(body);
  }

  private earlier({ key }: ReceiptKey, scopeKey: ScopeKey): Receipt | undefined {
    return this.loaded.receipts.get(key)?.find((receipt) => receipt.scopeKey === scopeKey);
  }

  private head(partition: number): Head {
    const head = this.loaded.heads.get(partition);
    if (!head) throw new Error(`partition ${partition} does not exist`);
    return head;
  }

  /** The log's time: the database's clock, but never before the partition's last event. */
  private timeOf(partition: number): Instant {
    let at = this.times.get(partition);
    if (at === undefined) {
      at = new Date(Math.max(this.loaded.now, this.head(partition).at)).toISOString();
      this.times.set(partition, at);
    }
    return at;
  }

  /** Takes the scope's details and handles away; those of later commands stay. */
  private erase({ partition, scopeId, scopeKey, state }: Placed): void {
    const { attributes, detailed } = this.loaded;
    attributes.delete(state.latest?.attributesDigest ?? '');
    for (const row of this.rows.details) if (row.scopeId === scopeId) attributes.delete(row.digest);
    this.rows.eraseDetails(partition, scopeId);
    this.loaded.handles.erase({ partition, scopeId });
    detailed.delete(scopeKey);
  }

  /** Numbers and encodes the decision's events, and lets the rest of the batch see them. */
  private keep(decision: Decision, context: Context): Stamp {
    const { submission, scopeKey, at } = context;
    const { partition, commandId, receipt, traceparent } = submission;
    const { source } = this;
    const head = this.head(partition);
    const scopeId = this.loaded.scopeIds.get(scopeKey) ?? '';
    let { state } = context;
    // All events are written down before any is kept: one that cannot be leaves nothing behind.
    const written = decision.events.map((event, index) => {
      const before = state.latest;
      state = evolve(state, event);
      const sequence = head.sequence + index + 1;
      const { version } = state;
      // What time alone had brought about before, nobody asked for.
      const isAsked = index >= (decision.settled ?? 0);
      const principal = isAsked ? submission.command.principal : undefined;
      const placed = {
        partition,
        sequence,
        scopeId,
        scopeKey,
        at,
        state,
        version,
        source,
        commandId,
        principal,
        traceparent: isAsked ? traceparent : undefined,
      };
      return { event, before, encoded: encodeEvent(placed, event), placed };
    });
    for (const { event, before, encoded, placed } of written) {
      this.rows.add(event, encoded, placed);
      if (event.type === 'DetailsErased') this.erase(placed);
      else if ('session' in event) {
        this.remember(event.session, scopeKey);
        if (startsTimer(event)) this.keepTimer(before, event.session, placed);
      }
      if ('previous' in event) this.remember(event.previous, scopeKey);
      if (event.type === 'CheckpointMarked') this.keepCheckpoint(event, placed);
    }
    if ('renews' in decision) this.keepTimer(undefined, decision.session, { partition, scopeKey, at });
    head.sequence += written.length;
    this.loaded.scopes.set(scopeKey, state);
    this.loaded.due.delete(scopeKey);
    const last = { partition, sequence: head.sequence, scopeId, scopeKey, at };
    const event = decision.events.at(-1);
    // The command's own: not what time alone had brought about before it.
    if (event && 'outcome' in decision && decision.outcome === outcomeOf(event)) {
      const { details } = submission;
      if (receipt) {
        this.rows.addReceipt(receipt, last);
        this.rememberReceipt(receipt, scopeKey, written.at(-1)?.encoded.pieces ?? []);
      }
      if (details && decision.session.attributesDigest === details.digest) {
        this.rows.addDetails(details, last);
        this.loaded.attributes.set(details.digest, details.body);
      }
    }
    return last;
  }

  /** What the decision makes of handles; returns those that the scope lost to new ones. */
  private keepHandles(decision: Decision, stamp: Stamp): DroppedHandle[] {
    const { partition, scopeId, scopeKey, at } = stamp;
    const changes = ('handles' in decision && decision.handles) || [];
    return changes.flatMap(
      (change) => this.loaded.handles.change(change, { partition, scopeId, scopeKey }, at) ?? [],
    );
  }

  /** The timer as an event leaves it; where there was one before and is none now, it goes. */
  private keepTimer(
    before: Session | undefined,
    after: Session,
    place: Pick<Stamp, 'partition' | 'scopeKey' | 'at'>,
  ): void {
    const timer = timerOf(after, place.at);
    const replaced = before && timerOf(before, place.at) && (before.sessionId !== after.sessionId || !timer);
    if (replaced) this.rows.setLease(before, place, undefined);
    if (timer) this.rows.setLease(after, place, timer);
  }

  private remember(session: Session, scopeKey: ScopeKey): void {
    const named: NamedSession = { scopeKey };
    const { successor } = this.loaded.sessions.get(session.sessionId) ?? {};
    if (successor) named.successor = successor;
    if (session.status === 'ended') named.final = session;
    if (session.successorId) named.successorId = session.successorId;
    this.loaded.sessions.set(session.sessionId, named);
  }

  private keepCheckpoint(event: Extract<SessionEvent, { type: 'CheckpointMarked' }>, stamp: Stamp): void {
    const { label } = event;
    const { sessionId } = 'session' in event ? event.session : event.previous;
    const { checkpoints, checkpointCounts } = this.loaded;
    checkpoints.set(checkpointKey(stamp.scopeKey, label), sessionId);
    checkpointCounts.set(stamp.scopeKey, (checkpointCounts.get(stamp.scopeKey) ?? 0) + 1);
    this.rows.addCheckpoint(label, sessionId, stamp);
  }

  private rememberReceipt(
    { key, fingerprint }: ReceiptKey,
    scopeKey: ScopeKey,
    pieces: readonly string[],
  ): void {
    const receipts = this.loaded.receipts.get(key) ?? [];
    const document = () => pieces.join('');
    this.loaded.receipts.set(key, [...receipts, { scopeKey, fingerprint, document }]);
  }

  private count(command: EndSession, why: StopIgnoredWhy, stamp: Stamp): void {
    const stopId = stopOf(command);
    const before = this.loaded.ignored.get(stopId) ?? [];
    if (!before.includes(why)) this.loaded.ignored.set(stopId, [...before, why]);
    this.rows.countIgnoredStop({ sessionId: command.sessionId, stopId, why }, stamp);
  }

  private countReport(command: ReportInvalid, stamp: Stamp): void {
    this.loaded.reported.add(reportOf(command));
    const { sessionId } = command;
    this.rows.countIgnoredStop({ sessionId, stopId: reportOf(command), why: 'transient' }, stamp);
  }
}

interface Context {
  submission: Submission;
  scopeKey: ScopeKey;
  /** Before the command. */
  state: ScopeState;
  at: Instant;
}
