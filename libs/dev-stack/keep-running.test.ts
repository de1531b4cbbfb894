import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#waiting';
import type { DevStackError } from './errors.js';
import { keepRunning } from './keep-running.js';
import { commandLine } from './processes.js';
import { launch, type Server } from './server.js';

let directory: string;
let logFile: string;
let lines: string[];
let lost: DevStackError[];
let started: Server[];
let kept: { stop(): Promise<void> } | undefined;

/** A server that can be used at once; from the `breaksAt`th start on it cannot be used at all. */
const keep = async (restarts: number, breaksAt = Number.POSITIVE_INFINITY) => {
  kept = await keepRunning({
    ...{ name: 'Clock', logFile, restarts },
    log: (line) => lines.push(line),
    onLost: (error) => lost.push(error),
    start: async (stopping) => {
      if (started.length >= breaksAt) throw new Error('Clock: did not come up');
      const args = ['-e', 'setInterval(() => {}, 1000)'];
      const stopSteps = [{ signal: 'SIGTERM', waitMs: 5_000 }] as const;
      const server = await launch({
        ...{ command: process.execPath, args, logFile, stopping },
        stopSteps: [...stopSteps],
      });
      started.push(server);
      return server;
    },
  });
};
const kill = (server: Server | undefined) => process.kill(server?.pid ?? 0, 'SIGKILL');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keep-running-'));
  logFile = join(directory, 'log');
  [lines, lost, started] = [[], [], []];
});
afterEach(async () => {
  await kept?.stop();
  await rm(directory, { recursive: true });
});

test('who ends by itself is started again', async () => {
  await keep(3);
  kill(started[0]);
  await eventually(() => lines.includes('Clock: running again'), { withinMs: 10_000 });
  expect(lines).toEqual([
    `Clock: ended unexpectedly (signal SIGKILL), see ${logFile}; starting it again in 0.5 s (attempt 1 of 3)`,
    'Clock: running again',
  ]);
  expect(started).toHaveLength(2);
});

test('after growing pauses, and a bound', async () => {
  await keep(2, 1);
  kill(started[0]);
  await eventually(() => lost.length > 0, { withinMs: 20_000 });
  expect(lines).toEqual([
    expect.stringMatching(/ended unexpectedly .* again in 0\.5 s \(attempt 1 of 2\)$/),
    'Clock: did not come up; starting it again in 1 s (attempt 2 of 2)',
  ]);
  expect(lost.map(({ message }) => message)).toEqual([
    'Clock: did not come up; it is not started again after 2 attempts in a row',
  ]);
});

test('stopping ends a pause, and starts nothing', async () => {
  await keep(3);
  kill(started[0]);
  await eventually(() => lines.length > 0, { withinMs: 10_000 });
  await kept?.stop();
  expect([started.length, lines.length, lost]).toEqual([1, 1, []]);
});

test('stopping stops the one that was started again', async () => {
  await keep(3);
  kill(started[0]);
  await eventually(() => lines.length === 2, { withinMs: 10_000 });
  await kept?.stop();
  expect(await commandLine(started[1]?.pid ?? 0)).toBe('');
  expect(lost).toEqual([]);
});
