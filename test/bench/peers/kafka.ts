import { randomInt } from 'node:crypto';
import kafkajs from 'kafkajs';
import { openKafka } from '#broker';
import type { Side } from '../harness.js';
import { SCOPES, scopeNumber } from '../scopes.js';
import type { Cleanup } from '../stack.js';
import { Arrivals } from '../workloads/arrivals.js';

const TOPIC = 'bare';
/** As many as the ledger's topic has. */
const PARTITIONS = 16;
const EVENT_BYTES = 700;

/** The peer of W5: the application produces to Kafka by itself, without a database, so many times a second. */
export async function bareKafka(brokers: string[], cleanup: Cleanup): Promise<(rate: number) => Side> {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const maker = openKafka({ brokers });
  await maker.createTopic(TOPIC, { partitions: PARTITIONS, replicationFactor: 1, config: {} });
  await maker.close();

  const arrivals = new Arrivals();
  const consumer = kafka.consumer({ groupId: 'bare', maxWaitTimeInMs: 500 });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  cleanup.add(() => Promise.all([consumer.disconnect(), producer.disconnect()]));
  await Promise.all([consumer.connect(), producer.connect()]);
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { headers } of batch.messages) arrivals.arrive(String(headers?.name));
    },
  });
  await joined;

  const value = Buffer.alloc(EVENT_BYTES, 'event ');
  let last = 0;
  const send = async () => {
    const { userId, projectId } = scopeNumber(randomInt(SCOPES));
    const name = String(++last);
    const asked = performance.now();
    const messages = [{ key: `default/${userId}/${projectId}`, value, headers: { name } }];
    await producer.send({ topic: TOPIC, acks: -1, messages });
    return { name, asked, answered: performance.now() };
  };
  return (rate) => ({
    name: `bare kafkajs, ${rate} a second, from send to consumer`,
    turn: async (ms) => (await arrivals.turn(ms, rate, send)).asked,
  });
}
