import { setTimeout as sleep } from 'node:timers/promises';
import { followKafka, openKafka } from '#broker';
import { DemoError } from './error.js';
import type { EventDocument } from './facts.js';

const TOPIC_MS = 5_000;
const JOIN_MS = 8_000;

export interface Following {
  stop(): Promise<void>;
}

type Take = (event: EventDocument) => void;
type Fail = (error: Error) => void;

/**
 * Follows the topic from its end; resolves once later events are sure to come. Throws DemoError with a line
 * for the user when they will not.
 */
export async function followTopic(
  { brokers, topic }: { brokers: string[]; topic: string },
  take: Take,
  fail: Fail,
): Promise<Following> {
  await findTopic(brokers, topic);
  const follower = followKafka({
    brokers,
    topic,
    clientId: 'session-ledger-demo',
    from: 'end',
    onEvents(records) {
      for (const { bytes } of records) take(JSON.parse(bytes.toString()));
    },
    onGap: ({ partition, after, found }) =>
      fail(new DemoError(`events are missing in partition ${partition}: after ${after} came ${found}`)),
  });
  const joined = follower.ready.then(() => true);
  if (await Promise.race([joined, sleep(JOIN_MS, false)])) return follower;
  throw new DemoError(`Kafka at ${brokers} did not let the app join within ${JOIN_MS / 1_000} s`);
}

/** A ledger that has only just started may still be making its topic. */
async function findTopic(brokers: string[], topic: string): Promise<void> {
  const kafka = openKafka({ brokers, connectTimeoutMs: 2_000, requestTimeoutMs: 3_000 });
  try {
    for (const until = performance.now() + TOPIC_MS; performance.now() < until; await sleep(200)) {
      if (await kafka.describeTopic(topic, ['retention.ms'])) return;
    }
  } catch {
    throw new DemoError(
      `Kafka cannot be reached at ${brokers}: name its address with --kafka, ` +
        "or add --without-kafka, and the app follows the ledger's own feed",
    );
  } finally {
    await kafka.close();
  }
  throw new DemoError(`Kafka at ${brokers} has no topic ${topic}: name the ledger's own with --topic`);
}

/** Follows the ledger's own feed (server-sent events) from now on. */
export async function followFeed(url: string, take: Take, fail: Fail): Promise<Following> {
  const gone = new AbortController();
  const response = await fetch(`${url}/v1/feed/stream`, { signal: gone.signal }).catch(() => undefined);
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
    if (!gone.signal.aborted) fail(new DemoError("the ledger's feed was cut"));
  });
  return { stop: async () => gone.abort() };
}
