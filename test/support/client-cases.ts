import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isProblem, type LedgerClient, NotHeld, OwnedSession } from '#client';
import { failed } from './client.js';
import { cloudDebug, cloudDev, newUser } from './sessions.js';

/** One thing that a case does, and what has to come of it. */
interface Step {
  /** `one`, `two`: clients; else a session by the name that it was saved `as`. */
  by?: string;
  do: string;
  id?: string;
  with?: unknown;
  key?: string;
  as?: string;
  seconds?: number;
  /** What the answer has to have, among other things. */
  expect?: unknown;
  /** Status, code, and the current session's id. */
  refused?: [number, string, string | null];
  notHeld?: string;
}

/** What every client has to do with every ledger; the Python client runs the same file. */
export const clientCases: { name: string; steps: Step[] }[] = JSON.parse(
  readFileSync(new URL('../client/cases.json', import.meta.url), 'utf8'),
);

export async function runCase(
  steps: Step[],
  clients: { one: LedgerClient; two: LedgerClient },
): Promise<void> {
  const saved: Record<string, unknown> = {
    ...clients,
    user: newUser(),
    key: randomUUID(),
    dev: cloudDev,
    debug: cloudDebug,
  };
  for (const step of steps) {
    const { by, as, expect: wanted, refused, notHeld } = filled(step, saved) as Step;
    const work = perform(by === undefined ? undefined : saved[by], filled(step, saved) as Step);
    if (refused) {
      const error = await failed(work);
      const found = isProblem(error)
        ? [error.status, error.code, error.current?.sessionId ?? null]
        : String(error);
      expect(found).toEqual(refused);
    } else if (notHeld !== undefined) {
      const error = await failed(work);
      expect(error instanceof NotHeld ? error.why : error).toBe(notHeld);
    } else {
      const answer = await work;
      if (as !== undefined) saved[as] = answer;
      if (wanted !== undefined) expect(shown(answer)).toEqual(subset(wanted));
    }
  }
}

async function perform(by: unknown, step: Step): Promise<unknown> {
  const { with: body, id, key } = step;
  if (step.do === 'wait')
    return new Promise((resolve) => setTimeout(resolve, (step.seconds as number) * 1_000));
  if (by instanceof OwnedSession) {
    if (step.do === 'lost') return new Promise((resolve) => by.onLost(resolve));
    if (step.do === 'run') return by.run(({ epoch }) => ({ epoch }));
    const given = id === undefined ? [body] : [id, body];
    return (by as unknown as Record<string, (...given: unknown[]) => unknown>)[step.do]?.apply(by, given);
  }
  const client = by as LedgerClient;
  switch (step.do) {
    case 'call':
      return client.call(id as never, body as never, key === undefined ? {} : { idempotencyKey: key });
    case 'history': {
      const types: unknown[] = [];
      for await (const { type } of client.history(body as never)) types.push(type.split('.')[1]);
      return types;
    }
    case 'session':
      return client.session(id as string);
    case 'end':
      return client.end(id as string, body as never);
    default:
      return client[step.do as 'start' | 'claim' | 'join' | 'current'](body as never) as Promise<unknown>;
  }
}

/** Each `$name` and `$name.member` replaced by what it stands for. */
function filled(value: unknown, saved: Record<string, unknown>): unknown {
  if (typeof value === 'string' && value.startsWith('$')) {
    return value
      .slice(1)
      .split('.')
      .reduce((found, name) => (found as Record<string, unknown>)[name], saved as unknown);
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, saved));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, saved)]));
}

function shown(answer: unknown): unknown {
  if (!(answer instanceof OwnedSession)) return answer ?? null;
  const { sessionId, epoch, state, view } = answer;
  return { sessionId, epoch, state, view };
}

function subset(wanted: unknown): unknown {
  if (Array.isArray(wanted)) return wanted.map(subset);
  if (typeof wanted !== 'object' || wanted === null) return wanted;
  return expect.objectContaining(
    Object.fromEntries(Object.entries(wanted).map(([name, one]) => [name, subset(one)])),
  );
}
