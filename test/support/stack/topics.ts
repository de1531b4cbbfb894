import type { Admin } from 'kafkajs';
import { within } from '../until.js';

const { until } = within(30_000);

/**
 * Creates a topic, and resolves when a broker knows it and its leaders: kafkajs' own wait for them fails at a broker that
 * has not heard of it yet. False when there was one already.
 */
export async function createTopic(admin: Admin, topic: string, numPartitions: number): Promise<boolean> {
  const isCreated = await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false });
  await until(async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics.length === 1);
  return isCreated;
}
