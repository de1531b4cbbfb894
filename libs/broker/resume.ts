import type { Feed, FeedEvent } from '#log';
import type { KafkaPort, KafkaRecord, TopicTail } from './broker.port.js';
import { sequenceOf } from './record.js';
import { RelayStopped } from './stopped.js';

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

/** Where to go on. */
export interface ResumePlace {
  /** The last sequence that the Kafka partition holds. */
  after: number;
  /** The offset that the next record gets. */
  end: number;
}

interface Found {
  sequence: number;
  record: KafkaRecord;
}

/**
 * Looks at the ends of the Kafka partition and says where to go on. An empty and new one gets everything from 1
 * on, also when Kafka had confirmed more: whoever reads a topic that was made again finds the whole log in it,
 * and who has read the former one drops what comes again.
 * What another relay sent but Kafka has not replicated yet is not seen here, and may then be in Kafka twice:
 * consumers drop it.
 * Throws RelayStopped when Kafka and the log do not belong together, and whatever the ports throw. It depends on
 * nothing but Kafka and Postgres, so a restart comes to the same verdict.
 */
export async function resumeAfter(from: ResumeFrom): Promise<ResumePlace> {
  const { kafka, topic, partition, confirmed } = from;
  const where = `Kafka topic ${topic}, partition ${partition}`;
  let tail = await kafka.tail(topic, partition, 1);
  if (tail.end === 0) return fromTheFirst(from, where);
  if (tail.records.length === 0) throw new RelayStopped('kafka-lost', recordsDeleted(where, tail.end));
  let last = highest(tail.records);
  if (last === undefined || last.sequence < confirmed) {
    tail = await kafka.tail(topic, partition, LOOK_BACK);
    last = highest(tail.records);
  }
  if (last === undefined) throw new RelayStopped('foreign-records', foreignRecords(where));
  stopIfNotFromTheFirst(where, tail, last);
  if (last.sequence < confirmed) {
    throw new RelayStopped('kafka-lost', kafkaLost(where, last.sequence, confirmed));
  }
  await checkSameHistory(from, where, last);
  return { after: last.sequence, end: tail.end };
}

async function fromTheFirst({ feed, partition, confirmed }: ResumeFrom, where: string): Promise<ResumePlace> {
  if (confirmed === 0) return { after: 0, end: 0 };
  try {
    await feed.readTable(partition, 0, 1);
  } catch (error) {
    if (!isArchived(error)) throw error;
    throw new RelayStopped('topic-recreated', recreatedAndArchived(where, confirmed, error.message));
  }
  return { after: 0, end: 0 };
}

/**
 * Repetitions only push records back: in a partition that was written from event 1 on, event n stands at offset
 * n - 1 or later. One that was deleted and made again unseen, or that lost records in between, has an event
 * before its place.
 */
function stopIfNotFromTheFirst(where: string, tail: TopicTail, last: Found): void {
  const first = tail.first && sequenceOf(tail.first);
  if (first !== undefined && first > tail.first!.offset + 1) {
    throw new RelayStopped('topic-recreated', recreated(where, first));
  }
  if (last.sequence > last.record.offset + 1) {
    throw new RelayStopped('kafka-lost', lostBetween(where, last));
  }
}

function highest(records: KafkaRecord[]): Found | undefined {
  let found: Found | undefined;
  for (const record of records) {
    const sequence = sequenceOf(record);
    if (sequence !== undefined && sequence > (found?.sequence ?? 0)) found = { sequence, record };
  }
  return found;
}

/**
 * After a restore Postgres may know less than Kafka, or, once commands went on, something else under the same
 * numbers. The bytes in the table tell both.
 */
async function checkSameHistory({ feed, partition }: ResumeFrom, where: string, last: Found): Promise<void> {
  const [event] = await orArchived(feed.readTable(partition, last.sequence - 1, 1), partition);
  if (event?.bytes.equals(last.record.value)) return;
  const what = event
    ? `holds another event ${last.sequence} than Postgres`
    : `is ahead of Postgres: it ends at sequence ${last.sequence}, which Postgres does not have`;
  const code = event ? 'other-history' : 'kafka-ahead';
  throw new RelayStopped(code, otherHistory(where, what), last.record.value);
}

/** What was read; RelayStopped when it is archived. */
export async function orArchived(read: Promise<FeedEvent[]>, partition: number): Promise<FeedEvent[]> {
  try {
    return await read;
  } catch (error) {
    if (!isArchived(error)) throw error;
    throw new RelayStopped('archived', behindTheArchive(partition, error.message));
  }
}

function isArchived(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'archived';
}

/** What an operator does about lost records, unless the first events are archived. */
export const MAKE_ANEW =
  'Delete the topic: the relay makes it again, sends everything from 1, and consumers drop what they have seen.';

const behindTheArchive = (partition: number, where: string) =>
  `Kafka's partition ${partition} is behind the archive. ${where} Nothing further is sent, or its followers ` +
  `would miss them. Restore the topic from a copy that goes up to there.`;

const recreated = (where: string, first: number) =>
  `${where} begins with event ${first} instead of 1: it was deleted and made again, and whoever reads it misses ` +
  `what was before. Nothing further is sent. ${MAKE_ANEW}`;

const recreatedAndArchived = (where: string, confirmed: number, archives: string) =>
  `${where} is empty and new, but Kafka had confirmed up to ${confirmed}: the topic was deleted and made again. ` +
  `Its first events are archived, so the relay cannot send them again. ${archives} Restore the topic from a ` +
  `copy.`;

const lostBetween = (where: string, { sequence, record }: Found) =>
  `${where} has event ${sequence} at offset ${record.offset}, where not all events before it have room: Kafka ` +
  `lost records. Nothing further is sent. ${MAKE_ANEW}`;

/** What a relay found that had looked before. */
export const lostUnder = (where: string) =>
  `Kafka lost records: ${where}. Nothing further is sent. ${MAKE_ANEW}`;

const kafkaLost = (where: string, sequence: number, confirmed: number) =>
  `${where} ends at sequence ${sequence}, but Kafka had confirmed up to ${confirmed}: it lost records. ` +
  `Nothing further is sent. ${MAKE_ANEW} Or, to send only what is missing, set this partition's confirmed ` +
  `sequence in Postgres to ${sequence}.`;

const recordsDeleted = (where: string, end: number) =>
  `${where} is empty but its end offset is ${end}: its records were deleted. Nothing is sent, because it is not ` +
  `new. ${MAKE_ANEW}`;

const foreignRecords = (where: string) =>
  `${where} ends with records that no relay wrote. Only the relay may write to this topic: configure another ` +
  `topic name, or take the other producer away and delete the topic, which the relay then makes again.`;

const otherHistory = (where: string, what: string) =>
  `${where} ${what}. Nothing further is sent. Was Postgres restored from an older backup, or did a standby take over ` +
  `that lacked the last commits? Restore the later state; or, if what is missing is to be given up, run ` +
  `"session-ledger relay accept-restore" and let every consumer start anew.`;
