import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { anonymous, placeOf, type ScopePlace, scopeOf, startOf, submissionOf, unkeyed } from '#api';
import { decodeEvent, roleOf } from '#log';
import { ReadModels, rebuild } from '#projections';
import { evolve, noSessionYet, type ScopeState } from '#session';
import type { Replica } from '../../../apps/ledger/replica.js';
import { callLoops, compared, interleave, type Row, row, type Side, type Turn } from '../harness.js';
import { caughtUp, openHere, standing } from '../ledger.js';
import { type Served, startService } from '../processes.js';
import { seed } from '../seed.js';
import { metered } from '../stack.js';
import { starter } from './w1-commands.js';
import type { Bench, Workload } from './workload.js';

const CALLERS = 64;
const PAGE = 500;
/** Rotations; they are made one after the other, so a quick run makes a fifth of the many. */
const [FEW, MANY] = [100, 10_000];

/** What comes after the log: what it costs to follow it, what it costs the commands, and what the past costs. */
export const history: Workload = {
  id: 'W7',
  title: 'the projector beside the commands; replay, rebuild and feed; the past of long scopes',
  kafka: false,
  long: true,
  async run(bench: Bench) {
    return [...(await besideCommands(bench)), ...(await overTheLog(bench)), ...(await ofThePast(bench))];
  },
};

/**
 * The same commands on ledgers of one process: without a projector, beside one that gives way to them as it does in the
 * service, and beside one that keeps up with them. What the second one leaves for later is a line of its own.
 */
async function besideCommands({ stack, plan, cleanup, signal }: Bench): Promise<Row[]> {
  const pids = { node: process.pid, postgres: stack.postgresPid };
  const side = async (name: string, settings: Record<string, string>): Promise<Side & Projection> => {
    const ledger = await openHere(await stack.createDatabase(`w7_${name}`), settings);
    cleanup.add(ledger.close);
    const start = starter(ledger);
    const projection: Projection = { meanwhile: [], afterwards: [], made: [] };
    return {
      name,
      ...projection,
      async turn(ms) {
        const before = standing(ledger);
        const turn = await metered(pids, () => callLoops(CALLERS, ms, () => start(undefined)));
        const after = standing(ledger);
        const { seconds } = turn;
        projection.made.push(counted(seconds, after.head - before.head));
        projection.meanwhile.push(counted(seconds, after.projected - before.projected));
        // So that the other sides have the machine to themselves.
        projection.afterwards.push(await timed(() => caughtUp(ledger)));
        return turn;
      },
    };
  };
  const polite = await side('polite', { LEDGER_ROLES: 'api,projector' });
  const eager = await side('eager', { LEDGER_ROLES: 'api,projector', LEDGER_PROJECTOR_SHARE: '100' });
  const alone = await side('alone', { LEDGER_ROLES: 'api' });
  const turns = await interleave([polite, alone, eager], { ...plan, turnMs: 2 * plan.turnMs }, signal);
  const of = ({ name }: Side) => turns.get(name) ?? [];
  const reference = { name: 'commands without projector', turns: of(alone) };
  const [meanwhile, afterwards, made] = [polite.meanwhile, polite.afterwards, polite.made].map(
    (each) => each.slice(1), // as of the commands, the first turn does not count
  ) as [Turn[], Turn[], Turn[]];
  return [
    compared(row('commands beside the projector', CALLERS, of(polite)), of(polite), reference),
    compared(row('commands beside one that keeps up', CALLERS, of(eager)), of(eager), reference),
    row(reference.name, CALLERS, reference.turns),
    compared(row('events projected beside the commands', 1, meanwhile), meanwhile, {
      name: 'events that the commands made',
      turns: made,
    }),
    row('events projected while they pause', 1, afterwards),
  ];
}

/** What a projector did in each turn. */
interface Projection {
  made: Turn[];
  meanwhile: Turn[];
  afterwards: Turn[];
}

function counted(seconds: number, ops: number): Turn {
  return { seconds, ops, latencies: [(seconds * 1_000) / ops] };
}

/** Everything that is in a log, once a turn: read alone, folded, projected, and as followers get it. */
async function overTheLog({ stack, plan, cleanup, signal, seeded }: Bench): Promise<Row[]> {
  const url = await stack.createDatabase('w7_log');
  await seed(url, seeded, signal);
  const ledger = await openHere(url, { LEDGER_ROLES: 'api' });
  cleanup.add(ledger.close);
  const service = await startService(
    { DATABASE_URL: url, KAFKA_BROKERS: 'none', LEDGER_ROLES: 'api' },
    cleanup,
  );
  const pids = { node: process.pid, server: service.pid, postgres: stack.postgresPid };
  const side = (name: string, work: () => Promise<number>): Side => ({
    name,
    turn: () => metered(pids, () => timed(work)),
  });
  const reading = side('read by a cursor', () => readByCursor(url));
  const feeding = side(`of the feed over HTTP, pages of ${PAGE}`, () => readFeed(service, ledger));
  const replaying = side('replayed in memory', () => {
    const scopes = new Map<string, ScopeState>();
    return readAll(ledger, (text, scopeKey) => {
      scopes.set(scopeKey, evolve(scopes.get(scopeKey) ?? noSessionYet, decodeEvent(text).event));
    });
  });
  const rebuilding = side('rebuilt beside the live one, swapped, the old one dropped', async () => {
    return (await rebuild({ database: { url, role: await roleOf({ url }, 'service') } })).events;
  });
  const sides = [reading, replaying, rebuilding, feeding];
  const turns = await interleave(sides, plan, signal);
  const of = ({ name }: Side) => turns.get(name) ?? [];
  const reference = { name: `events ${reading.name}`, turns: of(reading) };
  return [
    compared(row(`events ${replaying.name}`, 1, of(replaying)), of(replaying), reference),
    compared(row(`events ${rebuilding.name}`, 1, of(rebuilding)), of(rebuilding), reference),
    compared(row(`events ${feeding.name}`, 1, of(feeding)), of(feeding), reference),
    row(reference.name, 1, reference.turns),
  ];
}

async function timed(work: () => Promise<number>): Promise<Turn> {
  const began = performance.now();
  const ops = await work();
  return counted((performance.now() - began) / 1_000, ops);
}

/** The same rows with nothing in between but Postgres' own cursor. */
async function readByCursor(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(
      'declare log cursor for select scope_key, bytes from ledger.events order by partition, sequence',
    );
    for (let events = 0; ; ) {
      const { rows } = await client.query(`fetch ${PAGE} from log`);
      events += rows.length;
      if (rows.length < PAGE) return events;
    }
  } finally {
    await client.end();
  }
}

/** Page after page of each partition, one request at a time; not parsed. Numbers are dense, so they need not be read. */
async function readFeed({ port }: Served, { pages }: Replica): Promise<number> {
  const heads = await pages.storedHeads();
  for (const [partition, head] of heads.entries()) {
    for (let after = 0; after < head; after += PAGE) {
      const query = `partition=${partition}&after=${after}&limit=${PAGE}`;
      const answer = await fetch(`http://127.0.0.1:${port}/v1/feed?${query}`);
      if (!answer.ok) throw new Error(`a page of the feed was answered ${answer.status}`);
      await answer.arrayBuffer();
    }
  }
  return heads.reduce((sum, head) => sum + head, 0);
}

async function readAll({ tail }: Replica, each: (text: string, scopeKey: string) => void): Promise<number> {
  let events = 0;
  for (let partition = 0; partition < tail.partitions; partition++) {
    for (let after = 0; ; ) {
      const page = await tail.read(partition, after, PAGE);
      for (const { bytes, scopeKey } of page) each(bytes.toString('utf8'), scopeKey);
      events += page.length;
      if (page.length < PAGE) break;
      after = page.at(-1)!.sequence;
    }
  }
  return events;
}

/**
 * Scopes of few and of many rotations, each with usage: sessions as of any of their times, pages of their chains, which have
 * the chain's sums, now and as of any time, and the sums of the scope.
 */
async function ofThePast({ stack, plan, cleanup, signal, full }: Bench): Promise<Row[]> {
  const ledger = await openHere(await stack.createDatabase('w7_past'));
  cleanup.add(ledger.close);
  const { history } = ledger;
  const models = new ReadModels(ledger.pools.reads);
  const short = await chainOf(ledger, 'short', FEW);
  const long = await chainOf(ledger, 'long', full ? MANY : MANY / 5);
  await caughtUp(ledger);
  const asOf = ({ scope, sequences }: Chain): Side => ({
    name: `as of a position, ${sequences.length} rotations`,
    turn: (ms) =>
      callLoops(1, ms, async () => {
        const sequence = sequences[Math.floor(Math.random() * sequences.length)]!;
        const past = await history.asOf(scope, { sequence });
        if (past.future || past.session === undefined || past.position.sequence !== sequence) {
          throw new Error('another past was answered');
        }
      }),
  });
  const chain = ({ scope, sequences }: Chain): Side => ({
    name: `a page of 50 of a chain, ${sequences.length} rotations`,
    turn: (ms) =>
      callLoops(1, ms, async () => {
        const { rows, usage } = await models.chain(scope, { limit: 50 });
        if (rows.length !== 50) throw new Error('no whole page');
        isSumOf(usage, sequences.length - 1);
      }),
  });
  const chainAsOf = ({ scope, sequences }: Chain): Side => ({
    name: `a page of 50 of a chain as of a position, ${sequences.length} rotations`,
    turn: (ms) =>
      callLoops(1, ms, async () => {
        const index = Math.floor(Math.random() * sequences.length);
        const past = await history.asOf(scope, { sequence: sequences[index]! });
        if (past.future || past.session === undefined) throw new Error('another past was answered');
        const { sessionId } = past.session;
        const then = { until: past.until, tip: sessionId };
        const { rows, usage } = await models.chain(scope, { from: sessionId, limit: 50, asOf: then });
        if (rows.length !== Math.min(50, index + 1)) throw new Error('no whole page');
        isSumOf(usage, index);
      }),
  });
  const sums = ({ scope, sequences }: Chain): Side => ({
    name: `the sums of a scope, ${sequences.length} rotations`,
    turn: (ms) =>
      callLoops(1, ms, async () => isSumOf((await models.usage(scope)).usage, sequences.length - 1)),
  });
  const pairs = [asOf, chain, chainAsOf, sums].map((of) => [of(long), of(short)] as const);
  const turns = await interleave(pairs.flat(), plan, signal);
  return pairs.flatMap(([ours, theirs]) => {
    const [many, few] = [turns.get(ours.name) ?? [], turns.get(theirs.name) ?? []];
    const reference = { name: theirs.name, turns: few };
    return [
      compared(row(ours.name, 1, many), many, reference, 'p50'),
      compared(row(ours.name, 1, many), many, reference, 'p99'),
      row(theirs.name, 1, few),
    ];
  });
}

function isSumOf(usage: string | null, operations: number): void {
  if (JSON.parse(usage ?? '{}').operations !== operations) throw new Error('another sum was answered');
}

interface Chain {
  scope: ScopePlace;
  /** Of the start, and of every rotation. */
  sequences: number[];
}

async function chainOf({ naming, writer }: Replica, userId: string, rotations: number): Promise<Chain> {
  const body = { userId, owner: { environment: 'bench' } };
  const sequences: number[] = [];
  let next = startOf({ ...unkeyed(anonymous), body }, naming);
  while (sequences.length < rotations) {
    const answer = await writer.submit({ ...next, commandId: randomUUID() });
    if (answer.kind !== 'accepted') throw new Error(`a rotation was answered ${answer.kind}`);
    sequences.push(answer.position.sequence);
    const { sessionId, epoch } = answer.session;
    const successorId = naming.newSessionId(placeOf(sessionId, naming));
    const usage = { inputTokens: 1_000, outputTokens: 200, cost: { amount: '0.0125', currency: 'EUR' } };
    const rotation = {
      type: 'RotateSession',
      sessionId,
      epoch,
      successorId,
      reason: 'build',
      usage,
    } as const;
    next = submissionOf(unkeyed(anonymous), rotation, placeOf(sessionId, naming), naming);
  }
  return { scope: scopeOf(anonymous, { userId }, naming), sequences };
}
