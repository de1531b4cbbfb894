import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { openPool, verifyProjections } from '#log';
import { brokenPromises } from '../../libs/log/testing/promises.js';
import { ask } from '../support/http.js';
import { runClient } from './client.js';
import { type Fault, inflict, nameOf, tablesOf } from './faults/index.js';
import type { Log } from './log.js';
import { Memory } from './memory.js';
import { planRounds, type Round } from './plan.js';
import { Random } from './random.js';
import { readFeed, readKafka, readLog, untilQuiet } from './reading-log.js';
import { Recorder } from './recorder.js';
import { type Recovery, RecoveryWatch } from './recovery.js';
import { placesOf, Requests } from './requests.js';
import { mirrors } from './rules/mirrors.js';
import type { Settings } from './settings.js';
import { settleUnknown } from './settling.js';
import { verdict } from './verdict.js';
import type { FaultRecord, Violation } from './violation.js';
import { openWorld, type World } from './world.js';

/** Everything that a run has seen. */
export interface Report {
  settings: Settings;
  recorder: Recorder;
  faults: FaultRecord[];
  /** Faults that could not be inflicted, and why. */
  failed: string[];
  recoveries: Recovery[];
  /** Commands that had to be asked for again at the end. */
  settled: number;
  log: Log;
  violations: Violation[];
}

/** How long after a fault each replica has to obey commands of each partition again. */
const RECOVERED_WITHIN_MS = 30_000;

/** Runs clients and faults, settles what is unknown, and holds all of it against the log. */
export async function runChecker(settings: Settings, progress: (line: string) => void): Promise<Report> {
  const world = await openWorld(settings.partitions, progress);
  try {
    const addresses = world.replicas.map(({ front }) => `http://${front.address}`);
    const recorder = new Recorder(addresses);
    const seen = {
      settings,
      recorder,
      faults: [],
      failed: [],
      recoveries: [],
      violations: [] as Violation[],
    };
    await sendAndBreak(world, { ...seen, progress });
    const { settled, violations: unknown } = await settleUnknown(recorder, world.replicas.length);
    const { log, violations } = await holdAgainstLog(world, recorder);
    return { ...seen, settled, log, violations: [...seen.violations, ...unknown, ...violations] };
  } finally {
    await world.close();
  }
}

interface Running extends Omit<Report, 'settled' | 'log'> {
  progress(line: string): void;
}

async function sendAndBreak(world: World, running: Running): Promise<void> {
  const { settings, recorder } = running;
  let isOver = false;
  const memory = new Memory();
  const places = placesOf(settings.scopes, settings.partitions);
  const clients = Array.from({ length: settings.clients }, (_, index) => {
    const name = `client-${index}`;
    const random = new Random(settings.seed + 1 + index);
    const requests = new Requests(name, random, places, memory);
    const { paceMs } = settings;
    return runClient({
      name,
      recorder,
      memory,
      requests,
      random,
      replicas: world.replicas.length,
      paceMs,
      isOver: () => isOver,
    });
  });
  try {
    await breakThings(world, running);
  } finally {
    isOver = true;
    await Promise.all(clients);
  }
}

async function breakThings(world: World, running: Running): Promise<void> {
  const { settings, recorder, progress } = running;
  const random = new Random(settings.seed);
  const { partitions, size } = settings;
  const tables = await withClient(world, tablesOf);
  const over = () =>
    recorder.now() > settings.seconds * 1_000 || recorder.operations.length >= settings.operations;
  for (const cycle of planRounds({ random, tables, partitions, replicas: world.replicas.length, size })) {
    const chosen = cycle
      .map((round) => only(round, settings.faults))
      .filter(({ faults }) => faults.length > 0);
    if (chosen.length === 0) throw new Error(`CHECKER_FAULTS leaves no fault: ${settings.faults}`);
    for (const [index, round] of chosen.entries()) {
      if (over()) return;
      await playRound(world, round, random, running);
      progress(
        `${index + 1} of ${chosen.length} rounds, ${recorder.operations.length} operations, ${(recorder.now() / 1_000).toFixed(0)} s`,
      );
    }
    if (size === 'small') return;
  }
}

/** Of a round, only those faults that were asked for. */
function only(round: Round, wanted: Settings['faults']): Round {
  const isWanted = ({ kind, table }: Fault) =>
    !wanted || wanted.includes(kind) || wanted.includes(`${kind}:${table}`);
  return { ...round, faults: round.faults.filter(isWanted) };
}

async function playRound(world: World, round: Round, random: Random, running: Running): Promise<void> {
  const { recorder, faults, failed, recoveries, violations, progress } = running;
  const inflicted = round.faults.map(async (fault) => {
    const record = { name: nameOf(fault), kind: fault.kind, began: recorder.now() };
    await inflict[fault.kind](world, fault, new Random(random.integer(0, 2 ** 31))).catch((error: Error) => {
      failed.push(`${record.name}: ${error.message}`);
    });
    faults.push({ ...record, ended: recorder.now() });
  });
  progress(
    round.faults.length > 3 ? `${round.faults.length} tables locked` : round.faults.map(nameOf).join(' and '),
  );
  await Promise.all(inflicted);
  violations.push(...(await startAgain(world)));
  const ended = recorder.now();
  const kind = [...new Set(round.faults.map((fault) => fault.kind))].join(' and ');
  const watch = new RecoveryWatch(recorder.operations, ended, world.replicas.length, world.partitions);
  while (watch.look() === undefined && recorder.now() < ended + RECOVERED_WITHIN_MS) await pause(20);
  recoveries.push({ kind, ms: watch.look() });
  if (watch.look() === undefined) {
    const message = `${RECOVERED_WITHIN_MS / 1_000} s after ${kind} no command was obeyed at replica:partition ${watch.waitingFor.join(', ')}`;
    violations.push({ rule: 'recovery', message, operations: recorder.operations.slice(-3) });
  }
  await pause(round.calmMs);
}

/** A replica that is not there now has ended by itself: whatever is broken, it should not. */
async function startAgain({ replicas }: World): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [index, { service }] of replicas.entries()) {
    const { child, errors } = service.process;
    if (child.exitCode === null && child.signalCode === null) continue;
    const how = child.signalCode ?? `exit code ${child.exitCode}`;
    const message = `replica ${index} ended by itself (${how}): ${errors.slice(-3).join(' | ')}`;
    violations.push({ rule: 'recovery', message, operations: [] });
    await service.restart();
  }
  return violations;
}

async function holdAgainstLog(
  world: World,
  recorder: Recorder,
): Promise<{ log: Log; violations: Violation[] }> {
  const { log, running } = await withClient(world, async (client) => {
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

async function withClient<T>(world: World, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await world.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
