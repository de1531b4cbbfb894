import { randomInt } from 'node:crypto';

/** How long and how hard a run is. */
export interface Settings {
  seed: number;
  size: 'small' | 'long';
  /** A long run ends when so many requests were sent. */
  operations: number;
  /** No new fault begins after so many seconds. A small run ends before, unless the machine is very slow. */
  seconds: number;
  clients: number;
  /** How many of them send in lists, as the client gathers calls: half unless set. */
  together: number;
  /** The longest pause of a client between two requests. */
  paceMs: number;
  /** How many scopes they meet in. */
  scopes: number;
  partitions: number;
  /** Only faults whose kind, or `kind:table`, is one of these; undefined for all. */
  faults: readonly string[] | undefined;
  /** Where the history and the log are written to, whatever the verdict. */
  history: string | undefined;
  /** Whether to tell on standard error how it comes along, and what it came to. */
  tells: boolean;
}

/** From the environment: `CHECKER_OPERATIONS` makes it a long run. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const number = (name: string, otherwise: number) => {
    const text = env[`CHECKER_${name}`];
    if (text === undefined || text === '') return otherwise;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`CHECKER_${name} has to be a whole number, but is "${text}"`);
    return value;
  };
  const isLong = Boolean(env.CHECKER_OPERATIONS);
  const clients = number('CLIENTS', 12);
  return {
    seed: number('SEED', randomInt(2 ** 31)),
    size: isLong ? 'long' : 'small',
    operations: number('OPERATIONS', Number.MAX_SAFE_INTEGER),
    seconds: number('SECONDS', isLong ? 1_800 : 300),
    clients,
    together: number('TOGETHER', clients >> 1),
    paceMs: number('PACE_MS', isLong ? 100 : 50),
    scopes: number('SCOPES', 16),
    partitions: number('PARTITIONS', 4),
    faults: env.CHECKER_FAULTS?.split(',').map((one) => one.trim()),
    history: env.CHECKER_HISTORY,
    tells: isLong || Boolean(env.CHECKER_TELL),
  };
}
