import type { Instant, Position, ScopeKey, SessionEvent } from '#session';

/** Everything about an event that is not the event. */
export interface Envelope extends Position {
  /** `/ledgers/<id>`: CloudEvents' source; with `id` it names the event everywhere. */
  source: string;
  scopeKey: ScopeKey;
  at: Instant;
  /** The event's number within its scope: 1, 2, 3 … */
  version: number;
  commandId: string;
  /** Who asked for it; absent when time alone has brought it about. ASCII without quotes and backslashes. */
  principal?: string | undefined;
  /** The trace in which it was asked for: CloudEvents' distributed tracing extension. */
  traceparent?: string | undefined;
}

/** The event's text, and where in its bytes the sessions stand that the tables keep. */
export interface EncodedEvent {
  /** One after the other. Joining them would copy what is written into bytes in a moment. */
  pieces: readonly string[];
  byteLength: number;
  session?: Slice;
  previous?: Slice;
}

/** Bytes `start` (from 0) to `start + length` of an event. */
export interface Slice {
  start: number;
  length: number;
}

/**
 * The one serialisation of an event: a CloudEvents 1.0 document in structured mode. `sequence` is
 * zero-padded to 16 digits because that extension compares as a string. Everything but the values of
 * `data` is ASCII, so its characters are its bytes.
 */
export function encodeEvent(envelope: Envelope, event: SessionEvent): EncodedEvent {
  const { partition, sequence, scopeKey, principal, traceparent } = envelope;
  let before =
    `{"specversion":"1.0","id":"${partition}:${sequence}","source":"${envelope.source}"` +
    `,"type":"session-ledger.${event.type}.v1","subject":"${scopeKey}","time":"${envelope.at}"` +
    `,"datacontenttype":"application/json","partitionkey":"${scopeKey}","partition":${partition}` +
    `,"sequence":"${padded(sequence)}","commandid":"${envelope.commandId}"` +
    `${principal === undefined ? '' : `,"principal":"${principal}"`}` +
    `${traceparent === undefined ? '' : `,"traceparent":"${traceparent}"`}` +
    `,"data":{"version":${envelope.version}`;
  const pieces: string[] = [];
  const encoded: EncodedEvent = { pieces, byteLength: 0 };
  for (const name in event) {
    const value = event[name as keyof SessionEvent] as unknown;
    if (name === 'type' || value === undefined) continue;
    before += `,"${name}":`;
    const json = JSON.stringify(value);
    const start = encoded.byteLength + before.length;
    const length = Buffer.byteLength(json);
    if (name === 'session' || name === 'previous') encoded[name] = { start, length };
    pieces.push(before, json);
    encoded.byteLength = start + length;
    before = '';
  }
  before += '}}';
  pieces.push(before);
  encoded.byteLength += before.length;
  return encoded;
}

/** Zeros to put before a number of so many digits. */
const ZEROS = Array.from({ length: 17 }, (_, digits) => '0'.repeat(16 - digits));

function padded(sequence: number): string {
  const digits = String(sequence);
  return ZEROS[digits.length] + digits;
}

/**
 * Everything before an event's own members, as encodeEvent writes it, and attributes that a later version may add there.
 * Taken apart by a pattern: half of reading an event would be making strings and objects of what nobody asks for. Each
 * part ends where the next begins, so its time grows with the text's length alone, whatever it is given.
 */
const ENVELOPE =
  /^\{"specversion":"1\.0","id":"(\d+):(\d+)","source":"[^"]*","type":"(?:session-ledger\.(\w+)\.v1|([^"]*))","subject":"[^"]*","time":"([^"]*)"(?:,"[a-z0-9]+":(?:"[^"]*"|\d+))*,"data":\{"version":(\d+)/;

/** An event's number within its scope. Throws SyntaxError for what is no such document. */
export function versionOf(text: string): number {
  return Number(envelopeOf(text)[6]);
}

/**
 * The event inside its document, for those who answer from the log. A type that is none of this version's stands there
 * by its full name. Throws SyntaxError for what is no such document.
 */
export function decodeEvent(text: string): { at: Instant; position: Position; event: SessionEvent } {
  const [envelope, partition, sequence, ours, other, at] = envelopeOf(text);
  const members = text.slice(envelope.length, -1);
  return {
    at: at as Instant,
    position: { partition: Number(partition), sequence: Number(sequence) },
    event: JSON.parse(`{"type":"${ours ?? other}"${members}`),
  };
}

function envelopeOf(text: string): RegExpExecArray {
  const found = ENVELOPE.exec(text);
  if (!found) throw new SyntaxError('this is no event of a session ledger');
  return found;
}
