import type { FeedEvent } from '#log';
import type { KafkaRecord, OutgoingRecord } from './broker.port.js';

/**
 * The headers of a record: copies for those who filter without parsing. Not called `ce_…`: such a header
 * promises the exact text of the CloudEvents attribute (CloudEvents Kafka binding 1.0, section 3.3), and
 * these are plain decimal numbers where the event's own `sequence` may be padded.
 */
export const HEADERS = {
  contentType: 'content-type',
  /** `<partition>:<sequence>` */
  id: 'ledger-id',
  type: 'ledger-type',
  sequence: 'ledger-sequence',
  epoch: 'ledger-epoch',
} as const;

/** Structured mode: the value is the whole CloudEvent. */
export const CONTENT_TYPE = 'application/cloudevents+json';

export function toRecord(event: FeedEvent): OutgoingRecord {
  return {
    key: event.scopeKey,
    value: event.bytes,
    headers: {
      [HEADERS.contentType]: CONTENT_TYPE,
      [HEADERS.id]: `${event.partition}:${event.sequence}`,
      [HEADERS.type]: event.type,
      [HEADERS.sequence]: String(event.sequence),
      [HEADERS.epoch]: String(event.epoch),
    },
  };
}

/** The record's sequence; undefined when it was not written by a relay. */
export function sequenceOf(record: KafkaRecord): number | undefined {
  const sequence = Number(record.headers[HEADERS.sequence]);
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined;
}

/** What an event adds to a batch, about: bytes and key, and a generous allowance for headers and framing. */
export function sizeOf(event: FeedEvent): number {
  return event.bytes.length + event.scopeKey.length + event.type.length + 200;
}
