import { setTimeout as pause } from 'node:timers/promises';
import { openPool } from '#postgres';
import { verifyProjections } from '#projections';
import { brokenPromises } from '../../libs/log/testing/promises.js';
import { ask } from '../support/http.js';
import type { Log } from './log.js';
import { readFeed, readKafka, readLog, untilQuiet } from './reading-log.js';
import type { Recorder } from './recorder.js';
import { mirrors } from './rules/mirrors.js';
import type { World } from './running/world.js';
import { verdict } from './verdict.js';
import type { Violation } from './violation.js';

/** Waits until the log is at rest, and holds the history, the mirrors and the tables against it. */
export async function holdAgainstLog(
  world: World,
  recorder: Recorder,
): Promise<{ log: Log; violations: Violation[] }> {
  const { log, running } = await world.withClient(async (client) => {
    const running = await untilQuiet(client, 30_000);
    return { running, log: await readLog(client, world.partitions) };
  });
  const violations = verdict(recorder.operations, log);
  if (running > 0) {
    const message = `${running} leases or drains of a few seconds are not over 30 s after the last command`;
    violations.push({ rule: 'leases', message, operations: [] });
  }
  for (const [index, { service }] of world.replicas.entries()) {
    violations.push(
      ...mirrors(log, await readFeed(service.url, `the feed of replica ${index}`, world.partitions)),
    );
  }
  const lengths = log.partitions.map((events) => events.length);
  violations.push(...mirrors(log, await readKafka(world, lengths, 60_000)));
  violations.push(...(await brokenTables(world)));
  return { log, violations };
}

/** Every table that claims to equal the fold of the log. */
async function brokenTables(world: World): Promise<Violation[]> {
  const [replica] = world.replicas;
  const behind = async () =>
    (await ask<{ projection?: { behind: number } }>(`${replica?.service.url}/v1/stats?limit=1`)).body
      .projection?.behind;
  for (const until = performance.now() + 30_000; performance.now() < until && (await behind()) !== 0; )
    await pause(100);
  const pool = openPool({ url: world.databaseUrl, statementMs: 120_000 }, 2);
  try {
    const broken = await brokenPromises(pool);
    const rows: string[] = [];
    await verifyProjections({ pool, onDifference: (difference) => rows.push(JSON.stringify(difference)) });
    return [...broken, ...rows].map((message) => ({ rule: 'tables', message, operations: [] }));
  } finally {
    await pool.end();
  }
}
