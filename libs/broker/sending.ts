import type { FeedEvent } from '#log';
import { backoffMs, orAborted, pause } from '#waiting';
import { LookAgain, type OutgoingRecord, type PartitionProducer, ProducerLost } from './broker.port.js';
import { sizeOf } from './record.js';
import { BACKOFF, Interrupted, RelayStopped } from './stopped.js';

/** Kafka forgets an idle producer after producer.id.expiration.ms, a day by default: a repetition would double. */
const SAME_PRODUCER_MS = 6 * 3_600_000;

export interface SendingPatience {
  /** Fires, with Interrupted, when the lease is lost or the time to stop is over: gives up at once. */
  cut: AbortSignal;
  /** Fires with `cut`, or when the relay is asked to stop: lets the current attempt finish, makes no other. */
  stop: AbortSignal;
  /** Asked before every attempt: rejects when the batch must not be sent, or not yet. */
  beforeAttempt(failures: number): Promise<void>;
  onFailure(error: Error, failures: number): void;
}

/**
 * Sends the identical batch until Kafka has answered; resolves to the offset of its first record. Rejects with
 * Interrupted, the batch then being unanswered; with LookAgain when what it was to be sent to is another topic, or
 * when the producer is lost; with RelayStopped.
 */
export async function sendUntilAnswered(
  producer: PartitionProducer,
  records: readonly OutgoingRecord[],
  patience: SendingPatience,
): Promise<number> {
  const begun = performance.now();
  const attempt = async (failures: number) => {
    await orAborted(patience.beforeAttempt(failures), patience.cut);
    return orAborted(producer.send(records), patience.cut);
  };
  for (let failures = 0; ; ) {
    try {
      return await attempt(failures);
    } catch (error) {
      if (error instanceof Interrupted || error instanceof LookAgain || error instanceof RelayStopped)
        throw error;
      if (performance.now() - begun > SAME_PRODUCER_MS) {
        throw new ProducerLost('unanswered for so long that Kafka may have forgotten the producer');
      }
      failures++;
      patience.onFailure(error instanceof Error ? error : new Error(String(error)), failures);
    }
    await pause(backoffMs(failures, BACKOFF), patience.stop);
  }
}

/** Cuts a page of the feed into batches of at most `maxBytes`; an event that is larger travels alone. */
export function inBatches(events: readonly FeedEvent[], maxBytes: number): FeedEvent[][] {
  const batches: FeedEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const batch = batches.at(-1);
    bytes += sizeOf(event);
    if (batch && bytes <= maxBytes) {
      batch.push(event);
    } else {
      batches.push([event]);
      bytes = sizeOf(event);
    }
  }
  return batches;
}
