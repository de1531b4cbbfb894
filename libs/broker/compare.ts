import type { Feed } from '#log';
import type { KafkaPort } from './broker.port.js';
import { resumeAfter } from './resume.js';
import { RelayStopped, type StopCode } from './stopped.js';

export interface Comparison {
  kafka: KafkaPort;
  feed: Feed;
  topic: string;
  /** The last sequence of each partition that Postgres knows to be in Kafka. */
  confirmed: readonly number[];
}

/** What a relay that starts now would do with a partition. */
export type Verdict =
  | { partition: number; goesOnAfter: number }
  | { partition: number; code: StopCode; why: string };

/**
 * Compares every partition of the topic with the log, as a relay does before it sends, and changes nothing.
 * Rejects when Kafka or Postgres does not answer, or there is no such topic.
 */
export function compareWithKafka({ kafka, feed, topic, confirmed }: Comparison): Promise<Verdict[]> {
  const judge = async (known: number, partition: number): Promise<Verdict> => {
    try {
      const { after } = await resumeAfter({ kafka, feed, topic, partition, confirmed: known });
      return { partition, goesOnAfter: after };
    } catch (error) {
      if (!(error instanceof RelayStopped)) throw error;
      return { partition, code: error.code, why: error.message };
    }
  };
  return Promise.all(confirmed.map(judge));
}
