import { setTimeout as pause } from 'node:timers/promises';
import { type Follower, followKafka, type LedgerRecord } from '#broker';
import { ask } from './support/http.js';
import { startLoad } from './support/load.js';
import { freshTopic, type Service, startService } from './support/service.js';

const kafkaBrokers = process.env.TEST_KAFKA_BROKERS ?? '';

/** What Kafka has of each partition, as a consumer of ours sees it. */
function follow(topic: string) {
  const records = new Map<number, LedgerRecord[]>();
  const gaps: unknown[] = [];
  const follower: Follower = followKafka({
    brokers: kafkaBrokers.split(','),
    topic,
    from: 'beginning',
    onEvents(events) {
      for (const event of events) {
        records.set(event.partition, [...(records.get(event.partition) ?? []), event]);
      }
    },
    onGap: (gap) => gaps.push(gap),
  });
  return { records, gaps, follower };
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
  for (let kills = 0; kills < 2; kills++) {
    await pause(1_000);
    await service.restart();
  }
  await pause(500);
  await load.stop();

  const { records, gaps, follower } = follow(topic);
  const until = performance.now() + 40_000;
  const behind = async () => {
    const { text } = await ask(`${service.url}/metrics`);
    return /^ledger_relay_behind_events (.*)$/m.exec(text)?.[1];
  };
  for (let partition = 0; partition < 16; partition++) {
    const feed = (await feedOf(service, partition)).join(',');
    const mine = () => (records.get(partition) ?? []).map(({ bytes }) => bytes.toString()).join(',');
    while (mine().length < feed.length && performance.now() < until) await pause(100);
    expect(mine()).toBe(feed);
    const sequences = (records.get(partition) ?? []).map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  }
  expect(gaps).toEqual([]);
  expect([...records.values()].flat().length).toBeGreaterThan(200);
  expect(await behind()).toBe('0');
  // A partition that had nothing new since the last kill may still wait for the dead relay's lease to run out.
  const health = async () => (await ask<{ relay: string }>(`${service.url}/health/ready`)).body;
  while ((await health()).relay === 'standby' && performance.now() < until) await pause(100);
  expect(await health()).toMatchObject({ ready: true, relay: 'relaying' });
  await follower.stop();
}, 90_000);
