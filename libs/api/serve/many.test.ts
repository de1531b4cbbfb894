import type { Asked } from '../asked.js';
import { anonymous } from '../caller.js';
import type { Answer, Ledger, Submission } from '../ledger.port.js';
import { many } from './many.js';

const COUNT = 500;
/** What reading and checking one of them takes here, in milliseconds: twenty times as much as it does. */
const EACH_MS = 1;
/** Most that a list may hold the event loop, in milliseconds. */
const MOST_MS = 10;

/** How often the event loop has turned. */
let turn = 0;
let isOver = false;
beforeAll(() => {
  const count = () => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
});
afterAll(() => {
  isOver = true;
});

function busyFor(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('a long list holds the event loop in slices, and its commands enter the writer in one turn, in order', async () => {
  const readIn: number[] = [];
  const submitted: { userId: string; in: number }[] = [];
  const ledger = {
    partitions: 16,
    newSessionId: () => 'session',
    newCommandId: () => 'command',
    async submit({ command }: Submission): Promise<Answer> {
      submitted.push({
        userId: (command as unknown as { scope: { userId: string } }).scope.userId,
        in: turn,
      });
      return { kind: 'unknown-session' };
    },
  } as unknown as Ledger;
  const users = Array.from({ length: COUNT }, (_, index) => `user-${index}`);
  const asked = {
    caller: anonymous,
    key: undefined,
    body: {
      commands: users.map((userId) => ({
        operation: 'startSession',
        body: { userId, owner: { environment: 'e' } },
      })),
    },
    one: (_: string, one: object) => {
      readIn.push(turn);
      busyFor(EACH_MS);
      return { ...one, caller: anonymous, path: '/v1/sessions' };
    },
    problemOf: (error: unknown) => {
      throw error;
    },
    tell: () => {},
  } as unknown as Asked<'sendCommands'>;
  const { json } = await many.sendCommands(asked, ledger);
  expect(JSON.parse(json ?? '').answers).toHaveLength(COUNT);
  expect(submitted.map(({ userId }) => userId)).toEqual(users);
  expect(new Set(submitted.map((one) => one.in)).size).toBe(1);
  const perTurn = new Map<number, number>();
  for (const at of readIn) perTurn.set(at, (perTurn.get(at) ?? 0) + 1);
  expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(MOST_MS / EACH_MS);
});
