import type { Feed } from '#log';
import type { KafkaPort, KafkaRecord } from './broker.port.js';
import { sequenceOf } from './record.js';

/** The partition must not be mirrored any further until somebody has looked. The message says what to do. */
export class RelayStopped extends Error {
  override name = 'RelayStopped';
}

/** Throws RelayStopped when the log could not be read because what is to be sent next is archived. */
export function stopIfArchived(error: Error & { code?: unknown }, partition: number): void {
  if (error.code !== 'archived') return;
  throw new RelayStopped(
    `Kafka's partition ${partition} is behind the archive. ${error.message} Nothing further is sent, or its ` +
      `followers would miss them. Restore the topic from a copy that goes up to there.`,
  );
}

/** How far back to look for the highest sequence behind what a paused relay may have repeated. */
const LOOK_BACK = 5_000;

export interface ResumeFrom {
  kafka: KafkaPort;
  feed: Feed;
  topic: string;
  partition: number;
  /** The last sequence that Postgres knows to be in Kafka. */
  confirmed: number;
}

/**
 * The sequence after which to go on: the last one that the Kafka partition holds.
 * What another relay sent but Kafka has not replicated yet is not seen here, and may then be in Kafka twice:
 * consumers drop it.
 * Throws RelayStopped when Kafka and the log do not belong together, and whatever the ports throw.
 */
export async function resumeAfter(from: ResumeFrom): Promise<number> {
  const { kafka, topic, partition, confirmed } = from;
  const where = `Kafka topic ${topic}, partition ${partition}`;
  let tail = await kafka.tail(topic, partition, 1);
  let last = highest(tail.records);
  if (tail.end === 0) return emptyAndNew(where, confirmed);
  if (tail.records.length === 0) {
    throw new RelayStopped(
      `${where} is empty but its end offset is ${tail.end}: its records were deleted. Nothing is sent, because ` +
        `it is not new. Recreate the topic and set this partition's confirmed sequence in Postgres to 0 to ` +
        `send everything again.`,
    );
  }
  if (last === undefined || last.sequence < confirmed) {
    tail = await kafka.tail(topic, partition, LOOK_BACK);
    last = highest(tail.records);
  }
  if (last === undefined) {
    throw new RelayStopped(
      `${where} ends with records that no relay wrote. Only the relay may write to this topic: configure ` +
        `another topic name, or take the other producer away and recreate the topic.`,
    );
  }
  if (last.sequence < confirmed) throw new RelayStopped(kafkaLost(where, last.sequence, confirmed));
  await checkSameHistory(from, where, last);
  return last.sequence;
}

function emptyAndNew(where: string, confirmed: number): 0 {
  if (confirmed > 0) throw new RelayStopped(kafkaLost(where, 0, confirmed));
  return 0;
}

function kafkaLost(where: string, sequence: number, confirmed: number): string {
  return (
    `${where} ends at sequence ${sequence}, but Kafka had confirmed up to ${confirmed}: it lost records, or the ` +
    `topic was recreated. To send them again, set this partition's confirmed sequence in Postgres to ${sequence} ` +
    `and restart the relay; consumers drop what they have seen.`
  );
}

function highest(records: KafkaRecord[]) {
  let found: { sequence: number; record: KafkaRecord } | undefined;
  for (const record of records) {
    const sequence = sequenceOf(record);
    if (sequence !== undefined && sequence > (found?.sequence ?? 0)) found = { sequence, record };
  }
  return found;
}

/**
 * After a restore Postgres may know less than Kafka, or, once commands went on, something else under the same
 * numbers. The bytes tell both.
 */
async function checkSameHistory(
  { feed, partition }: ResumeFrom,
  where: string,
  last: { sequence: number; record: KafkaRecord },
): Promise<void> {
  const [event] = await feed.readTable(partition, last.sequence - 1, 1).catch((error) => {
    stopIfArchived(error, partition);
    throw error;
  });
  if (event?.bytes.equals(last.record.value)) return;
  const what = event
    ? `holds another event ${last.sequence} than Postgres`
    : `is ahead of Postgres: it ends at sequence ${last.sequence}, which Postgres does not have`;
  throw new RelayStopped(
    `${where} ${what}. Was Postgres restored from an older backup? Restore the later state; or, if what is ` +
      `missing is to be given up, configure a new topic name and let every consumer start over.`,
  );
}
