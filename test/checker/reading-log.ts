import { setTimeout as pause } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type pg from 'pg';
import { decodeEvent } from '#log';
import { ask } from '../support/http.js';
import type { EventsBody } from '../support/sessions.js';
import type { Log, LoggedEvent } from './log.js';
import type { Mirror } from './rules/mirrors.js';
import type { World } from './running/world.js';

const COMMAND_ID = /"commandid":"([^"]*)"/;
const PAGE = 5_000;

/** Waits until no timer runs any more, so that nobody writes to the log. Resolves to how many still run after the time. */
export async function untilQuiet(client: pg.Client, withinMs: number): Promise<number> {
  for (const until = performance.now() + withinMs; ; await pause(200)) {
    const { rows } = await client.query('select count(*)::int as running from ledger.leases');
    if (rows[0].running === 0 || performance.now() > until) return rows[0].running;
  }
}

/** Reads all that the rules need, as of one moment. */
export async function readLog(client: pg.Client, partitions: number): Promise<Log> {
  await client.query('begin isolation level repeatable read read only');
  const log: LoggedEvent[][] = [];
  for (let partition = 0; partition < partitions; partition++)
    log.push(await readPartition(client, partition));
  const receipts = new Map<string, { partition: number; sequence: number }[]>();
  for (const { key, partition, sequence } of (await client.query('select * from ledger.receipts')).rows) {
    const hash = key.replaceAll('-', '');
    receipts.set(hash, [...(receipts.get(hash) ?? []), { partition, sequence: Number(sequence) }]);
  }
  const details = (await client.query('select digest, body from ledger.details')).rows;
  const counts =
    "select stop_id, sum(count)::int as count from ledger.ignored_stops where why <> 'transient' group by 1";
  const ignored = (await client.query(counts)).rows;
  await client.query('commit');
  return {
    partitions: log,
    receipts,
    details: new Map(details.map(({ digest, body }) => [digest, body])),
    ignoredStops: new Map(ignored.map(({ stop_id, count }) => [stop_id.replaceAll('-', ''), count])),
  };
}

async function readPartition(client: pg.Client, partition: number): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  while (true) {
    const { rows } = await client.query(
      'select sequence, scope_key, bytes from ledger.events where partition = $1 and sequence > $2 order by sequence limit $3',
      [partition, events.at(-1)?.sequence ?? 0, PAGE],
    );
    for (const { sequence, scope_key, bytes } of rows) {
      const text = bytes.toString();
      const { event, at } = decodeEvent(text);
      const commandId = COMMAND_ID.exec(text)?.[1] ?? '';
      events.push({
        partition,
        sequence: Number(sequence),
        scopeKey: scope_key,
        commandId,
        at,
        event,
        bytes,
      });
    }
    if (rows.length < PAGE) return events;
  }
}

/** The numbered feed of a replica, from its beginning to its end. */
export async function readFeed(url: string, name: string, partitions: number): Promise<Mirror> {
  const copies: { sequence: number; bytes: Buffer }[][] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const copy: { sequence: number; bytes: Buffer }[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const path: string = `/v1/feed?partition=${partition}&after=${after}&limit=500`;
      const { body } = await ask<EventsBody>(url + path);
      for (const event of body.events) {
        copy.push({ sequence: Number(event.sequence), bytes: Buffer.from(JSON.stringify(event)) });
      }
      after = body.next;
    }
    copies.push(copy);
  }
  return { name, mayRepeat: false, partitions: copies };
}

/** Kafka's records as they lie there, once each partition has come to `lengths`, or after `withinMs`. */
export async function readKafka(
  { brokers, topic }: World,
  lengths: readonly number[],
  withinMs: number,
): Promise<Mirror> {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `checker-${topic}` });
  const copies: { sequence: number; bytes: Buffer }[][] = lengths.map(() => []);
  const isComplete = () =>
    lengths.every(
      (length, partition) => (copies[partition] ?? []).at(-1)?.sequence === length || length === 0,
    );
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        const sequence = Number(message.headers?.['ledger-sequence']?.toString());
        copies[partition]?.push({ sequence, bytes: message.value ?? Buffer.alloc(0) });
      },
    });
    for (const until = performance.now() + withinMs; performance.now() < until && !isComplete(); )
      await pause(100);
  } finally {
    await consumer.disconnect();
  }
  return { name: 'Kafka', mayRepeat: true, partitions: copies };
}
