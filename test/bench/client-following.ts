import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { type EventSource, Follower, type LedgerClient } from '#client';
import { kafkaSource } from '#client/kafka';

const TOPIC = 'session-ledger.events.v1';
/** The first one warms up. */
const ROUNDS = 3;

/** Reads `total` events and resolves to how many a second, from the first on: joining Kafka's group takes seconds. */
type Reader = (total: number) => Promise<number>;

/** Events a second: the ledger's stream read and parsed by hand, and followed. */
export async function followStream(
  ledger: LedgerClient,
  authorization: Record<string, string>,
): Promise<void> {
  const { heads, events } = (await ledger.call('stats', {})).ledger!;
  const bare: Reader = async (total) => {
    const gone = new AbortController();
    const lastEventId = heads.map(() => '0').join('.');
    const { body } = await fetch(`${ledger.url}/v1/feed/stream`, {
      headers: { 'last-event-id': lastEventId, ...authorization },
      signal: gone.signal,
    });
    const decoder = new TextDecoder();
    const meter = new Meter(total);
    let rest = '';
    for await (const chunk of body as ReadableStream<Uint8Array>) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      let count = 0;
      for (const block of blocks) {
        const at = block.indexOf('data: ');
        if (at < 0) continue;
        JSON.parse(block.slice(at + 6));
        count += 1;
      }
      meter.add(count);
      if (meter.isFull) break;
    }
    gone.abort();
    return meter.perSecond;
  };
  await compare('Stream', events, bare, followed(ledger));
}

/** The same from Kafka: a bare kafkajs consumer that parses each event, and the follower. */
export async function followKafka(ledger: LedgerClient, broker: string): Promise<void> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const { events } = (await ledger.call('stats', {})).ledger!;
  await relayed(kafka, events);
  const bare: Reader = async (total) => {
    const consumer = kafka.consumer({ groupId: `bench-${crypto.randomUUID()}` });
    const meter = new Meter(total);
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { messages } }) => {
        for (const { value } of messages) JSON.parse(String(value));
        meter.add(messages.length);
      },
    });
    await meter.full;
    await consumer.disconnect();
    return meter.perSecond;
  };
  await compare('Kafka', events, bare, followed(ledger, kafkaSource({ kafka, topic: TOPIC })));
}

const followed =
  (ledger: LedgerClient, source?: EventSource): Reader =>
  async (total) => {
    const meter = new Meter(total);
    const follower = new Follower({
      ledger,
      ...(source && { source }),
      from: 'beginning',
      lookMs: 3_600_000, // or the feed would help while the consumer joins its group
      onEvents: (events) => meter.add(events.length),
      onStopped: (why) => meter.fail(why),
    });
    await meter.full;
    await follower.stop();
    return meter.perSecond;
  };

async function compare(name: string, total: number, bare: Reader, ours: Reader): Promise<void> {
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    rates[0].push(await bare(total));
    rates[1].push(await ours(total));
  }
  const [theirs, mine] = rates.map((all) => mean(all.slice(1))) as [number, number];
  const ratio = (mine / theirs).toFixed(2);
  console.log(
    `${name}, ${total} events: bare ${theirs.toFixed(0)}/s, follower ${mine.toFixed(0)}/s, ${ratio}`,
  );
}

const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;

/** Counts events, and takes the time from the first ones to the last. */
class Meter {
  readonly full: Promise<void>;
  #count = 0;
  #first = 0;
  #began = 0;
  #ms = Number.NaN;
  #resolve = () => {};
  fail: (why: unknown) => void = () => {};

  constructor(private readonly total: number) {
    this.full = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.fail = reject;
    });
  }

  get isFull(): boolean {
    return this.#count >= this.total;
  }

  /** Without the first ones, which were read before the clock ran. */
  get perSecond(): number {
    return ((this.total - this.#first) * 1_000) / this.#ms;
  }

  add(count: number): void {
    if (count === 0 || this.isFull) return;
    if (this.#count === 0) [this.#began, this.#first] = [performance.now(), count];
    this.#count += count;
    if (!this.isFull) return;
    this.#ms = performance.now() - this.#began;
    this.#resolve();
  }
}

/** Waits until the relay has sent them all. */
async function relayed(kafka: Kafka, total: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  for (const until = performance.now() + 60_000; ; await pause(200)) {
    const sent = (await admin.fetchTopicOffsets(TOPIC)).reduce((sum, { high }) => sum + Number(high), 0);
    if (sent >= total) break;
    if (performance.now() > until) throw new Error(`the relay has sent ${sent} of ${total} events`);
  }
  await admin.disconnect();
}
