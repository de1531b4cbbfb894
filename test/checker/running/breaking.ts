import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, inflict, nameOf, tablesOf } from '../faults/index.js';
import type { Recorder } from '../recorder.js';
import type { Settings } from '../settings.js';
import type { FaultRecord, Violation } from '../violation.js';
import { planRounds, type Round } from './plan.js';
import { Random } from './random.js';
import { type Recovery, RecoveryWatch } from './recovery.js';
import type { World } from './world.js';

/** What was broken on purpose, and how the replicas came back. */
export interface Broken {
  faults: FaultRecord[];
  /** Faults that could not be inflicted, and why. */
  failed: string[];
  recoveries: Recovery[];
  violations: Violation[];
}

/** How long after a fault each replica has to obey commands of each partition again. */
const RECOVERED_WITHIN_MS = 30_000;

/** Plays the plan of the seed, round by round, until the run is over. */
export async function breakThings(
  world: World,
  settings: Settings,
  recorder: Recorder,
  progress: (line: string) => void,
): Promise<Broken> {
  const broken: Broken = { faults: [], failed: [], recoveries: [], violations: [] };
  const random = new Random(settings.seed);
  const { partitions, size } = settings;
  const tables = await world.withClient(tablesOf);
  const over = () =>
    recorder.now() > settings.seconds * 1_000 || recorder.operations.length >= settings.operations;
  for (const cycle of planRounds({ random, tables, partitions, replicas: world.replicas.length, size })) {
    const chosen = cycle
      .map((round) => only(round, settings.faults))
      .filter(({ faults }) => faults.length > 0);
    if (chosen.length === 0) throw new Error(`CHECKER_FAULTS leaves no fault: ${settings.faults}`);
    for (const [index, round] of chosen.entries()) {
      if (over()) return broken;
      progress(told(round));
      await playRound(world, round, random, recorder, broken);
      progress(
        `${index + 1} of ${chosen.length} rounds, ${recorder.operations.length} operations, ${(recorder.now() / 1_000).toFixed(0)} s`,
      );
    }
    if (size === 'small') break;
  }
  return broken;
}

function told({ faults }: Round): string {
  return faults.length > 3 ? `${faults.length} tables locked` : faults.map(nameOf).join(' and ');
}

/** Of a round, only those faults that were asked for. */
function only(round: Round, wanted: Settings['faults']): Round {
  const isWanted = ({ kind, table }: Fault) =>
    !wanted || wanted.includes(kind) || wanted.includes(`${kind}:${table}`);
  return { ...round, faults: round.faults.filter(isWanted) };
}

async function playRound(
  world: World,
  round: Round,
  random: Random,
  recorder: Recorder,
  { faults, failed, recoveries, violations }: Broken,
): Promise<void> {
  const inflicted = round.faults.map(async (fault) => {
    const record = { name: nameOf(fault), kind: fault.kind, began: recorder.now() };
    await inflict[fault.kind](world, fault, new Random(random.integer(0, 2 ** 31))).catch((error: Error) => {
      failed.push(`${record.name}: ${error.message}`);
    });
    faults.push({ ...record, ended: recorder.now() });
  });
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
