import { setTimeout as pause } from 'node:timers/promises';
import { HEADERS, type KafkaPort, type KafkaRecord, openKafka } from '#broker';
import { ask } from '../support/http.js';
import { startLoad } from '../support/load.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import { within } from '../support/until.js';

const { until } = within(30_000);

const kafkaBrokers = process.env.TEST_KAFKA_BROKERS ?? '';

const sequenceOf = ({ headers }: KafkaRecord) => Number(headers[HEADERS.sequence]);

/** Reads a partition on: each of its events once, however often a relay that was killed has repeated it. */
class Reader {
  readonly events: KafkaRecord[] = [];
  private offset = 0;

  constructor(
    private readonly kafka: KafkaPort,
    private readonly topic: string,
    private readonly partition: number,
  ) {}

  async readOn(): Promise<void> {
    const records = await this.kafka.read(this.topic, this.partition, this.offset);
    for (const record of records) {
      if (sequenceOf(record) > this.events.length) this.events.push(record);
      this.offset = record.offset + 1;
    }
  }
}

/** The feed's pages of a partition as text, each beside the sequence that it begins after. */
async function feedOf({ url }: Service, partition: number): Promise<string[]> {
  const pages: string[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const path: string = `/v1/feed?partition=${partition}&after=${after}&limit=500`;
    const { text, body } = await ask<{ next?: number }>(url + path);
    after = body.next;
    pages.push(text.replace(/^\{"events":\[/, '').replace(/\](,"next":\d+)?\}$/, ''));
  }
  return pages.filter((page) => page !== '');
}

test('Kafka has every event once, in order, byte for byte as the feed, also across kill -9', async () => {
  const topic = freshTopic();
  const service = await startService({ kafkaBrokers, topic });
  const load = startLoad(service.url, 16);
  const obeyed = () => load.sent.filter(({ status }) => status === 201).length;
  for (let kills = 0; kills < 2; kills++) {
    const before = obeyed();
    await until(() => obeyed() > before + 100);
    await service.restart();
  }
  await until(() => obeyed() > 300);
  await load.stop();

  const kafka = openKafka({ brokers: kafkaBrokers.split(',') });
  let total = 0;
  const end = performance.now() + 40_000;
  const behind = async () => {
    const { text } = await ask(`${service.url}/metrics`);
    return /^ledger_relay_behind_events (.*)$/m.exec(text)?.[1];
  };
  for (let partition = 0; partition < 16; partition++) {
    const feed = (await feedOf(service, partition)).join(',');
    const reader = new Reader(kafka, topic, partition);
    const mine = () => reader.events.map(({ value }) => value.toString()).join(',');
    do await reader.readOn();
    while (mine().length < feed.length && performance.now() < end);
    expect(mine()).toBe(feed);
    expect(reader.events.map(sequenceOf)).toEqual(reader.events.map((_, index) => index + 1));
    total += reader.events.length;
  }
  expect(total).toBeGreaterThan(300);
  expect(await behind()).toBe('0');
  // A partition that had nothing new since the last kill may still wait for the dead relay's lease to run out.
  const health = async () => (await ask<{ relay: string }>(`${service.url}/health/ready`)).body;
  while ((await health()).relay === 'standby' && performance.now() < end) await pause(100);
  expect(await health()).toMatchObject({ ready: true, relay: 'relaying' });
  await kafka.close();
}, 150_000);
