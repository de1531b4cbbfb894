import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import { openKafka } from '#broker';
import { Follower, Gap, LedgerClient } from '#client';
import { kafkaSource } from '#client/kafka';
import { tokenFromEnvironment } from '#client/node';
import { rest, withDeadline } from '#waiting';
import { DemoError } from './error.js';
import type { EventDocument } from './facts.js';
import { credential } from './ledger-http.js';

const TOPIC_MS = 5_000;
const JOIN_MS = 8_000;
/** Longer than the story: what Kafka does not give is to be missed, and not to come from the ledger's feed. */
const LOOK_MS = 3_600_000;

export interface Following {
  stop(): Promise<void>;
}

export interface Topic {
  brokers: string[];
  topic: string;
}

type Take = (event: EventDocument) => void;
type Fail = (error: Error) => void;

/**
 * Follows the topic from now on; resolves once later events are sure to come. Throws DemoError with a line for the
 * user when they will not.
 */
export async function followTopic(
  url: string,
  { brokers, topic }: Topic,
  take: Take,
  fail: Fail,
): Promise<Following> {
  await findTopic(brokers, topic);
  let joined = () => {};
  const joining = new Promise<void>((resolve) => {
    joined = resolve;
  });
  const kafka = new TellingKafka(
    { brokers, clientId: 'session-ledger-demo', logLevel: logLevel.NOTHING },
    joined,
  );
  const follower = new Follower({
    ledger: new LedgerClient({ url, token: tokenFromEnvironment() }),
    source: kafkaSource({ kafka, topic }),
    from: 'present',
    lookMs: LOOK_MS,
    onEvents(events) {
      for (const { document } of events) take(document as unknown as EventDocument);
    },
    onTrouble(error) {
      if (!(error instanceof Gap)) return;
      const { partition, after, found } = error;
      fail(new DemoError(`events are missing in partition ${partition}: after ${after} came ${found}`));
    },
    onStopped: ({ message }) => fail(new DemoError(message)),
  });
  await withDeadline(joining, JOIN_MS, 'no consumer joined').catch(() => {
    throw new DemoError(`Kafka at ${brokers} let no consumer join within ${JOIN_MS / 1_000} s`);
  });
  return follower;
}

/** Tells when a consumer of its has joined its group. */
class TellingKafka extends Kafka {
  constructor(
    config: KafkaConfig,
    private readonly joined: () => void,
  ) {
    super(config);
  }

  override consumer(...config: Parameters<Kafka['consumer']>) {
    const consumer = super.consumer(...config);
    consumer.on(consumer.events.GROUP_JOIN, this.joined);
    return consumer;
  }
}

/** A ledger that has only just started may still be making its topic. */
async function findTopic(brokers: string[], topic: string): Promise<void> {
  const kafka = openKafka({ brokers, connectTimeoutMs: 2_000, requestTimeoutMs: 3_000 });
  try {
    for (const until = performance.now() + TOPIC_MS; performance.now() < until; await rest(200)) {
      if (await kafka.describeTopic(topic, ['retention.ms'])) return;
    }
  } catch {
    throw new DemoError(
      `Kafka cannot be reached at ${brokers}: name its address with --kafka, ` +
        "or add --without-kafka to follow the ledger's own feed",
    );
  } finally {
    await kafka.close();
  }
  throw new DemoError(`Kafka at ${brokers} has no topic ${topic}: name the ledger's own with --topic`);
}

/** Follows the ledger's own feed (server-sent events) from now on. */
export async function followFeed(url: string, take: Take, fail: Fail): Promise<Following> {
  const gone = new AbortController();
  const asks = { headers: await credential(), signal: gone.signal };
  const response = await fetch(`${url}/v1/feed/stream`, asks).catch(() => undefined);
  if (!response?.ok || !response.body) throw new DemoError(`${url}/v1/feed/stream cannot be followed`);
  const { body } = response;
  const read = async () => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of body) {
      const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) take(JSON.parse(data));
      }
    }
    throw new Error('ended');
  };
  read().catch(() => {
    if (!gone.signal.aborted) fail(new DemoError("the connection to the ledger's feed was lost"));
  });
  return { stop: async () => gone.abort() };
}
