/**
 * An archive is gzip (RFC 1952) over lines of JSON: a header, a line for each event, a trailer. The same events
 * always make the same lines. `event` is the very bytes that were hashed, stored and served.
 */
export interface ArchiveHeader {
  format: 'session-ledger.archive.v1';
  /** The ledger's id. */
  ledger: string;
  partition: number;
  /** Sequences, both included. */
  first: number;
  last: number;
}

export interface ArchiveTrailer {
  events: number;
  /** SHA-256 of all bytes before this line, in hex. */
  digest: string;
}

/** An event of an archive; its leaf hash was found to be that of its bytes. */
export interface ArchivedEvent {
  partition: number;
  sequence: number;
  /** The epoch of its scope after it. */
  epoch: number;
  /** SHA-256(0x00 ‖ bytes). */
  leaf: Buffer;
  bytes: Buffer;
}

/** Most events of one file. */
export const SEGMENT = 100_000;

/** Far above any event: what a reader keeps of a line at most. */
export const MOST_LINE_BYTES = 1 << 24;

/** `<start of the ledger's id>-<partition>-<first>-<last>.ndjson.gz`: sorts by partition, then by sequence. */
export function fileName({ ledger, partition, first, last }: ArchiveHeader): string {
  return `${namesBefore(ledger, partition, first)}${padded(last, 16)}.ndjson.gz`;
}

/** What the names of all files begin with that start at `first`. */
export function namesBefore(ledger: string, partition: number, first: number): string {
  return `${ledger.slice(0, 8)}-${padded(partition, 4)}-${padded(first, 16)}-`;
}

export function headerLine({ format, ledger, partition, first, last }: ArchiveHeader): string {
  return `${JSON.stringify({ format, ledger, partition, first, last })}\n`;
}

export function trailerLine({ events, digest }: ArchiveTrailer): string {
  return `${JSON.stringify({ events, digest })}\n`;
}

/** The parts of an event's line. */
export function eventLine({ sequence, epoch, leaf, bytes }: Omit<ArchivedEvent, 'partition'>): Buffer[] {
  const before = `{"sequence":${sequence},"epoch":${epoch},"leaf":"${leaf.toString('hex')}","event":`;
  return [Buffer.from(before), bytes, END_OF_LINE];
}

const END_OF_LINE = Buffer.from('}\n');
const BEFORE_EVENT = /^\{"sequence":(\d{1,16}),"epoch":(\d{1,16}),"leaf":"([0-9a-f]{64})","event":/;
const MOST_BEFORE = 160;

/** An event's line without its line break; undefined when it is none. Its hash is not looked at. */
export function parseEventLine(line: Buffer): Omit<ArchivedEvent, 'partition'> | undefined {
  const match = BEFORE_EVENT.exec(line.toString('latin1', 0, MOST_BEFORE));
  if (!match || line.at(-1) !== 0x7d) return undefined;
  const [before, sequence, epoch, leaf = ''] = match;
  return {
    sequence: Number(sequence),
    epoch: Number(epoch),
    leaf: Buffer.from(leaf, 'hex'),
    bytes: line.subarray(before.length, -1),
  };
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
