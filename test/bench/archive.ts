import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type ArchiveProgress, archive } from '#archive';
import { byHand, say } from './by-hand.js';
import { seed } from './seed.js';
import { startStack } from './stack.js';

// Archiving, against a cursor over the same rows, which is all that could be had by reading them. By hand:
//   npm run build && npx tsc -p test/bench && node dist/test/bench/archive.js

const EVENTS = 240_000;

await byHand(570_000, async (cleanup, signal) => {
  const stack = await startStack(false, cleanup);
  const url = await stack.createDatabase('archive');
  await seed(url, EVENTS, signal);
  const directory = await mkdtemp(join(tmpdir(), 'session-ledger-test-archive-'));
  cleanup.add(() => rm(directory, { recursive: true, force: true }));
  await cursor(url); // warms both sides
  const read = await cursor(url);
  say(`cursor:  ${rate(read)}`);

  const stages = new Map<ArchiveProgress['stage'], number>();
  let last = performance.now();
  const began = last;
  const onProgress = ({ stage }: ArchiveProgress) => {
    const now = performance.now();
    stages.set(stage, (stages.get(stage) ?? 0) + (now - last) / 1_000);
    last = now;
  };
  const options = { url, to: directory, olderThan: 0, withoutRelay: true, limits: { leastAge: 0 } };
  const done = await archive({ ...options, onProgress });
  const whole = { events: done.events, bytes: done.eventBytes, seconds: (performance.now() - began) / 1_000 };
  const filed = { ...whole, seconds: whole.seconds - (stages.get('deleted') ?? 0) };
  say(`archive: ${rate(whole)}, ${(read.seconds / whole.seconds).toFixed(2)} of the cursor's`);
  say(`  files: ${rate(filed)}, ${(read.seconds / filed.seconds).toFixed(2)} of the cursor's`);
  say(
    `  ${done.files} files, ${(done.eventBytes / done.fileBytes).toFixed(1)} times smaller than the events`,
  );
  for (const [stage, seconds] of stages) say(`  ${stage}: ${seconds.toFixed(1)} s`);
});

interface Run {
  events: number;
  bytes: number;
  seconds: number;
}

async function cursor(url: string): Promise<Run> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const began = performance.now();
  let [events, bytes] = [0, 0];
  await client.query('begin');
  await client.query(
    'declare rows no scroll cursor for select sequence, epoch, bytes from ledger.events order by partition, sequence',
  );
  for (;;) {
    const { rows } = await client.query('fetch 2000 from rows');
    if (rows.length === 0) break;
    events += rows.length;
    for (const row of rows) bytes += row.bytes.length;
  }
  await client.query('commit');
  const seconds = (performance.now() - began) / 1_000;
  await client.end();
  return { events, bytes, seconds };
}

function rate({ events, bytes, seconds }: Run): string {
  const perSecond = Math.round(events / seconds).toLocaleString('en-US');
  return `${perSecond} events/s, ${(bytes / seconds / 1e6).toFixed(1)} MB/s (${events} events)`;
}
