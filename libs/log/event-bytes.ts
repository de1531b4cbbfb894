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
}

/** The event's text, and where in its bytes the sessions stand that the tables keep. */
export interface EncodedEvent {
  text: string;
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
 * zero-padded to 16 digits because that extension compares as a string. Everything before `data.session` is
 * ASCII, so its characters are its bytes.
 */
export function encodeEvent(envelope: Envelope, event: SessionEvent): EncodedEvent {
  const { partition, sequence, scopeKey } = envelope;
  let text =
    `{"specversion":"1.0","id":"${partition}:${sequence}","source":"${envelope.source}"` +
    `,"type":"session-ledger.${event.type}.v1","subject":"${scopeKey}","time":"${envelope.at}"` +
    `,"datacontenttype":"application/json","partitionkey":"${scopeKey}","partition":${partition}` +
    `,"sequence":"${String(sequence).padStart(16, '0')}","commandid":"${envelope.commandId}"` +
    `,"data":{"version":${envelope.version}`;
  let bytes = text.length;
  const slices: { session?: Slice; previous?: Slice } = {};
  const add = (name: string, value: unknown): Slice => {
    const json = JSON.stringify(value);
    const length = Buffer.byteLength(json);
    text += `,"${name}":${json}`;
    const start = bytes + name.length + 4;
    bytes = start + length;
    return { start, length };
  };
  for (const [name, value] of Object.entries(event)) {
    if (name === 'type' || value === undefined) continue;
    const slice = add(name, value);
    if (name === 'session' || name === 'previous') slices[name] = slice;
  }
  return { text: `${text}}}`, byteLength: bytes + 2, ...slices };
}

/** An event document as far as the ledger itself reads it again. */
interface EventDocument {
  type: string;
  time: Instant;
  partition: number;
  sequence: string;
  data: { version: number } & Record<string, unknown>;
}

/** The event inside its document, for those who answer from the log. */
export function decodeEvent(text: string): { at: Instant; position: Position; event: SessionEvent } {
  const document: EventDocument = JSON.parse(text);
  const { version: _, ...fields } = document.data;
  const type = /^session-ledger\.(\w+)\.v1$/.exec(document.type)?.[1];
  return {
    at: document.time,
    position: { partition: document.partition, sequence: Number(document.sequence) },
    event: { type, ...fields } as SessionEvent,
  };
}
