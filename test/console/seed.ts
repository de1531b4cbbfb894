import { ask } from '../support/http.js';

/** Commands of one request, and requests that are on their way at once. */
const MANY = 500;
const AT_ONCE = 4;

const ENVIRONMENTS = ['cloud-dev', 'cloud-debug', 'laptop', 'build-farm', 'preview'];
const STATUSES = [
  'active',
  'active',
  'active',
  'active',
  'active',
  'active',
  'starting',
  'released',
  'ending',
];

interface Sent {
  operation: string;
  sessionId?: string;
  body: object;
}

/** What is needed of an answer. */
interface Told {
  status: number;
  session: { sessionId: string; epoch: number };
}

export interface Seeded {
  url: string;
  /** Of a key with `write`, and `operate` for what is forced; absent without access control. */
  token?: string;
}

/** Sends a list of commands; rejects when one is answered otherwise than `statuses` allow. */
async function send(
  { url, token }: Seeded,
  commands: readonly Sent[],
  statuses = [200, 201],
): Promise<Told[]> {
  const { status, body, text } = await ask<{ answers: Told[] }>(`${url}/v1/commands`, {
    body: { commands },
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(60_000),
  });
  // More than the service takes at once: it says when to come back.
  if (status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return send({ url, ...(token !== undefined && { token }) }, commands, statuses);
  }
  if (status !== 200) throw new Error(`the commands were answered ${text.slice(0, 500)}`);
  const refused = body.answers.find((answer) => !statuses.includes(answer.status));
  if (refused) throw new Error(`a command was answered ${JSON.stringify(refused)}`);
  return body.answers;
}

/** Session number `n`, always the same: of one of five environments, in one of twenty projects. */
function startOf(n: number, userPrefix: string): Sent {
  const environment = ENVIRONMENTS[n % ENVIRONMENTS.length]!;
  return {
    operation: 'startSession',
    body: {
      userId: `${userPrefix}${n}`,
      projectId: `project-${n % 20}`,
      owner: { environment, instance: `host-${n % 50}` },
      ...(statusOf(n) === 'starting' && { phase: 'starting' }),
      ...(n % 11 === 0 && { lease: { seconds: 86_400 } }),
      // From the first session of such a chain on a reset is advised.
      ...(n % 13 === 0 && { policy: { maxChainLength: 1 } }),
      ...(n % 17 === 0 && { attributes: { title: `Session ${n} <script>alert(1)</script>` } }),
    },
  };
}

const statusOf = (n: number) => STATUSES[n % STATUSES.length]!;

/** What brings session `n` from its start to its status; undefined when it has that already. */
function nextOf(n: number, { session: { sessionId, epoch } }: Told): Sent | undefined {
  const origin = { environment: ENVIRONMENTS[n % ENVIRONMENTS.length]!, instance: `host-${n % 50}` };
  if (statusOf(n) === 'released') return { operation: 'releaseOwnership', sessionId, body: { epoch } };
  if (statusOf(n) !== 'ending') return undefined;
  return {
    operation: 'endSession',
    sessionId,
    body: { epoch, origin, reason: 'finished', drainSeconds: 86_400 },
  };
}

/**
 * Starts a session for each of `count` users, `<userPrefix>0` and so on: two thirds are active, the others starting,
 * released or ending; an eleventh has a lease of a day, and for a thirteenth a reset is advised.
 */
export async function seedCurrent(seeded: Seeded, count: number, userPrefix = 'user-'): Promise<void> {
  let next = 0;
  const sender = async () => {
    while (next < count) {
      const first = next;
      next = Math.min(count, first + MANY);
      const numbers = Array.from({ length: next - first }, (_, index) => first + index);
      const started = await send(
        seeded,
        numbers.map((n) => startOf(n, userPrefix)),
      );
      const then = numbers.flatMap((n, index) => nextOf(n, started[index]!) ?? []);
      if (then.length > 0) await send(seeded, then);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}

export interface SeededHistory {
  userId: string;
  projectId?: string;
  /** How many sessions the scope shall have had: 5,000 unless it is said. */
  sessions?: number;
}

/**
 * Gives a scope a long history: sessions of changing owners that supersede each other and, every 100 of them, one that is
 * released, claimed and rotated, and a late stop of an older one that is ignored. Resolves with the current session.
 */
export async function seedHistory(
  seeded: Seeded,
  { userId, projectId = 'default', sessions = 5_000 }: SeededHistory,
): Promise<Told['session']> {
  let current: Told['session'] | undefined;
  for (let started = 0; started < sessions; ) {
    const isLast = started + 1 === sessions;
    // The last of a round is a rotation.
    const count = isLast ? 1 : Math.min(99, sessions - started - 1);
    const starts = Array.from({ length: count }, (_, index) => {
      const n = started + index;
      const owner = { environment: ENVIRONMENTS[n % ENVIRONMENTS.length]!, instance: `host-${n % 3}` };
      return { operation: 'startSession', body: { userId, projectId, owner } };
    });
    const told = await send(seeded, starts);
    started += count;
    current = told.at(-1)!.session;
    if (isLast) break;
    const old = told[0]!.session;
    if (count > 1) await stopLate(seeded, old);
    current = await handOver(seeded, current, started);
    started += 1;
  }
  if (!current) throw new Error('a history has one session at least');
  return current;
}

/** The stop of somebody who was superseded: it is refused and recorded. */
async function stopLate(seeded: Seeded, { sessionId, epoch }: Told['session']): Promise<void> {
  const body = { epoch, origin: { environment: 'laptop' }, reason: 'closed' };
  await send(seeded, [{ operation: 'endSession', sessionId, body }], [409]);
}

/** Released, claimed by another and rotated. */
async function handOver(seeded: Seeded, session: Told['session'], n: number): Promise<Told['session']> {
  const { sessionId } = session;
  const owner = { environment: ENVIRONMENTS[n % ENVIRONMENTS.length]! };
  const next = async (operation: string, body: object) => {
    const [told] = await send(seeded, [{ operation, sessionId, body }]);
    return told!.session;
  };
  const released = await next('releaseOwnership', { epoch: session.epoch });
  const claimed = await next('claimOwnership', { epoch: released.epoch, owner });
  return next('rotateSession', { epoch: claimed.epoch, reason: 'compact', versionId: `v${n}` });
}

/** Gives a scope one chain of so many links, each with its version and usage. Resolves with the tip. */
export async function seedChain(
  seeded: Seeded,
  { userId, links }: { userId: string; links: number },
): Promise<Told['session']> {
  const start = { operation: 'startSession', body: { userId, owner: { environment: 'cloud-dev' } } };
  let [told] = await send(seeded, [start]);
  for (let link = 2; link <= links; link++) {
    const { sessionId, epoch } = told!.session;
    const usage = { inputTokens: 100 + link, cost: { amount: '0.001', currency: 'EUR' } };
    const body = { epoch, reason: 'compact', versionId: `v${link}`, usage };
    [told] = await send(seeded, [{ operation: 'rotateSession', sessionId, body }]);
  }
  return told!.session;
}
