import type { KafkaPort } from './broker.port.js';
import { sequenceOf } from './record.js';
import { MAKE_ANEW } from './resume.js';
import type { TopicWarning } from './topic.js';

/** So many partitions are told one by one. */
const MOST_TOLD = 5;

/**
 * The partitions that do not begin with event 1 any more, as a warning: what follows is right, so the relay goes on,
 * but whoever begins anew misses what was before. Rejects with what the port throws.
 */
export async function lostBeginnings(
  kafka: Pick<KafkaPort, 'bounds' | 'tail'>,
  topic: string,
): Promise<TopicWarning[]> {
  const shortened = (await kafka.bounds(topic)).filter(({ begin }) => begin > 0);
  const told: string[] = [];
  let more = 0;
  for (const { partition } of shortened) {
    if (told.length === MOST_TOLD) more += 1;
    else told.push(...(await beginningOf(kafka, topic, partition)));
  }
  if (told.length === 0) return [];
  const others = more > 0 ? `, and ${more} more lost records, too` : '';
  const text =
    `Kafka topic ${topic} lost its first records, by retention or because somebody deleted them: ` +
    `${told.join('; ')}${others}. What was before is only in the log's table, or archived, and a consumer that ` +
    `begins anew misses it. ${MAKE_ANEW} If first events are archived, restore the topic from a copy instead.`;
  return [{ code: 'lost-beginning', text }];
}

async function beginningOf(
  kafka: Pick<KafkaPort, 'tail'>,
  topic: string,
  partition: number,
): Promise<string[]> {
  const { first } = await kafka.tail(topic, partition, 1);
  if (!first) return [`partition ${partition} is empty`];
  const sequence = sequenceOf(first);
  // Event 1 may have been there twice. What no relay wrote stops the partition when it is looked at.
  if (sequence === undefined || sequence === 1) return [];
  return [`partition ${partition} begins with event ${sequence}`];
}
