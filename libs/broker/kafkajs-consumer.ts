import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { ConsumerOptions, PartitionsConsumer } from './broker.port.js';
import type { Client } from './kafkajs-client.js';
import { toKafkaRecord } from './raw-cluster.js';
import { withDeadline } from './waiting.js';

const FETCH_WAIT_MS = 500;
const FETCH_BYTES_A_PARTITION = 1_048_576;

/** Joins the group and starts. Rejects when Kafka cannot be reached; later failures go to `onDead`. */
export async function openConsumer(client: Client, options: ConsumerOptions): Promise<PartitionsConsumer> {
  const consumer = client.kafka.consumer({
    groupId: options.groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: FETCH_BYTES_A_PARTITION,
    // A dead consumer is reported, not revived by kafkajs: the follower opens another where it stood.
    retry: { retries: 5, restartOnFailure: async () => false },
  });
  const running = new KafkaJsConsumer(client, consumer, options);
  try {
    await withDeadline(running.start(), 6 * client.requestTimeoutMs, 'the consumer did not start');
    return running;
  } catch (error) {
    await running.close();
    throw error;
  }
}

class KafkaJsConsumer implements PartitionsConsumer {
  #assigned: readonly number[] = [];
  #closed = false;
  readonly #sought = new Set<number>();

  constructor(
    private readonly client: Client,
    private readonly consumer: Consumer,
    private readonly options: ConsumerOptions,
  ) {}

  async start(): Promise<void> {
    const { topic, from, commits } = this.options;
    this.consumer.on(this.consumer.events.CRASH, ({ payload }) => this.#die(payload.error));
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#assigned = payload.memberAssignment[topic] ?? [];
      this.#seek();
    });
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [topic], fromBeginning: from !== 'end' });
    await this.consumer.run({
      autoCommit: commits,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: (payload) => this.#take(payload),
    });
  }

  assigned(): readonly number[] {
    return this.#assigned;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // Politely first, so that the group need not wait for this member's time-out; then for certain.
    await withDeadline(this.consumer.disconnect(), 2_000, 'slow disconnect').catch(() => undefined);
    this.client.gate.shut();
  }

  /** A group that commits goes on where it stood; the others begin where the caller says. */
  #seek(): void {
    const { topic, from, commits } = this.options;
    if (commits || typeof from === 'string') return;
    for (const partition of this.#assigned) {
      const offset = from.get(partition);
      if (offset === undefined || this.#sought.has(partition)) continue;
      this.#sought.add(partition);
      this.consumer.seek({ topic, partition, offset: String(offset) });
    }
  }

  async #take({ batch, resolveOffset, heartbeat, isStale }: EachBatchPayload): Promise<void> {
    const last = batch.messages.at(-1);
    if (last === undefined || isStale() || this.#closed) return;
    const records = batch.messages.map((message) => toKafkaRecord(batch.partition, message));
    try {
      await this.options.onRecords(records);
    } catch (error) {
      // To kafkajs this batch is unread; the group's offset stays before it.
      this.#die(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    resolveOffset(last.offset);
    await heartbeat();
  }

  #die(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.client.gate.shut();
    // Cut off above, and for good: what kafkajs says about that is of no interest.
    void this.consumer.disconnect().catch(() => undefined);
    this.options.onDead(error);
  }
}
