import type { Message, Producer } from 'kafkajs';
import { DeadlineOver, withDeadline } from '#waiting';
import { type OutgoingRecord, type PartitionProducer, ProducerLost } from '../broker.port.js';
import { type Client, typesOf } from './kafkajs-client.js';

/** Kafka's words for "I do not follow this producer's numbering" (its protocol guide, error codes 45 to 59 and 90). */
const LOST = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
  'PRODUCER_FENCED',
]);

/**
 * kafkajs's idempotent producer is safe in one way only: one send in flight, to one partition, and after an
 * error the identical batch again. It takes its sequence number back on an error, so another batch would go
 * out under the number of one that Kafka may already have, and be dropped as its repetition; and a send
 * across brokers is repeated while half of it is still in flight.
 */
export async function openProducer(
  client: Client,
  topic: string,
  partition: number,
): Promise<PartitionProducer> {
  const producer = client.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: () => () => partition,
    retry: { retries: 1 },
  });
  try {
    await withDeadline(producer.connect(), 4 * client.requestTimeoutMs, 'Kafka gave no producer id');
    return new OnePartition(client, producer, topic, partition);
  } catch (error) {
    client.gate.shut();
    throw error;
  }
}

class OnePartition implements PartitionProducer {
  #busy = false;
  /** The batch that Kafka has not answered yet, exactly as it was sent. */
  #unanswered: { records: readonly OutgoingRecord[]; messages: Message[] } | undefined;

  constructor(
    private readonly client: Client,
    private readonly producer: Producer,
    private readonly topic: string,
    private readonly partition: number,
  ) {}

  async send(records: readonly OutgoingRecord[]): Promise<number> {
    if (this.#busy) throw new Error(`two sends at once to partition ${this.partition}`);
    this.#unanswered ??= { records, messages: this.#messages(records) };
    const { messages } = this.#unanswered;
    if (this.#unanswered.records !== records) throw new ProducerLost('another batch is still unanswered');
    this.#busy = true;
    try {
      const offset = await withDeadline(this.#produce(messages), this.#hangsAfterMs(), 'no answer');
      this.#unanswered = undefined;
      return offset;
    } catch (error) {
      throw this.#asLost(error) ?? error;
    } finally {
      this.#busy = false;
    }
  }

  async close(): Promise<void> {
    this.client.gate.shut();
    // Stops kafkajs's timers. Its connections are cut already: what it says about that is of no interest.
    await withDeadline(this.producer.disconnect(), 1_000, 'slow disconnect').catch(() => undefined);
  }

  /** Well above what kafkajs needs for its attempt, its retry and new metadata between them. */
  #hangsAfterMs(): number {
    return 30_000 + 4 * this.client.requestTimeoutMs;
  }

  async #produce(messages: Message[]): Promise<number> {
    const { topic } = this;
    const timeout = this.client.requestTimeoutMs;
    const [answer] = await this.producer.send({ topic, acks: -1, timeout, messages });
    if (answer?.baseOffset === undefined) throw new ProducerLost('Kafka did not tell where the batch stands');
    return Number(answer.baseOffset);
  }

  #messages(records: readonly OutgoingRecord[]): Message[] {
    const timestamp = String(Date.now());
    return records.map((record) => ({ ...record, partition: this.partition, timestamp }));
  }

  /** After the deadline kafkajs may still be at it, so the next send would be a second one in flight. */
  #asLost(error: unknown): ProducerLost | undefined {
    if (error instanceof DeadlineOver) return new ProducerLost('kafkajs did not come back', { cause: error });
    for (const type of typesOf(error)) {
      if (LOST.has(type)) return new ProducerLost(`Kafka answered ${type}`, { cause: error });
    }
    return undefined;
  }
}
