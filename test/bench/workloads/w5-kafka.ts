import { randomInt, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { EVENTS_TOPIC } from '#broker';
import { Follower, Gap, LedgerClient } from '#client';
import { kafkaSource } from '#client/kafka';
import { compared, interleave, type Row, row, type Side, type Turn } from '../harness.js';
import { bareKafka } from '../peers/kafka.js';
import { projected, startLoad, startService } from '../processes.js';
import { SCOPES, startBody } from '../scopes.js';
import { type Cleanup, metered } from '../stack.js';
import { Arrivals, type Sent } from './arrivals.js';
import type { Bench, Workload } from './workload.js';

/** Commands a second: in a full run all of them, otherwise the first. */
const RATES = [500, 2_000, 5_000];
const CONNECTIONS = 64;

/** How long after its answer an event is with its consumers, against Kafka without a ledger before it. */
export const toKafka: Workload = {
  id: 'W5',
  title: "from a command's answer to the event's Kafka consumer",
  kafka: true,
  async run({ stack, plan, cleanup, signal, profileDir, full }: Bench) {
    const brokers = stack.kafkaBrokers;
    if (!brokers) throw new Error('W5 needs Kafka: Java 17 or newer, and its jars');
    const DATABASE_URL = await stack.createDatabase('w5');
    const places = { DATABASE_URL, KAFKA_BROKERS: brokers.join(',') };
    const service = await startService(places, cleanup, profileDir);
    const arrivals = new Arrivals();
    const gaps: Gap[] = [];
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const follower = new Follower({
      ledger: new LedgerClient({ url: `http://127.0.0.1:${service.port}` }),
      source: kafkaSource({ kafka, topic: EVENTS_TOPIC }),
      from: 'beginning',
      lookMs: 3_600_000, // or the feed would help
      onEvents: (events) => {
        for (const { partition, sequence } of events) arrivals.arrive(`${partition}:${sequence}`);
      },
      onTrouble(error) {
        if (error instanceof Gap) gaps.push(error);
      },
      onStopped: () => {}, // an event that then does not arrive is told
    });
    cleanup.add(() => follower.stop());
    const bare = await bareKafka(brokers, cleanup);
    const start = starter(service.port, cleanup);

    const pids = { server: service.pid, postgres: stack.postgresPid };
    // So few commands a second would not warm the service up within a short run.
    const load = startLoad(cleanup);
    const order = { port: service.port, path: '/v1/sessions', kind: 'start', keyed: true } as const;
    await load.turn({ ...order, connections: CONNECTIONS, ms: 5 * plan.warmUpMs });
    await projected(service, signal);
    // Joining its group takes a consumer seconds.
    while (follower.counts.handled === 0) await sleep(20, undefined, { signal });

    const longer = { ...plan, turnMs: 2 * plan.turnMs };
    const rows: Row[] = [];
    for (const rate of full ? RATES : RATES.slice(0, 1)) {
      const asked: Turn[] = [];
      const answered: Side = {
        name: `${rate} a second, from the answer to the consumer`,
        turn: (ms) =>
          metered(pids, async () => {
            const done = await arrivals.turn(ms, rate, start);
            asked.push(done.asked);
            return done.answered;
          }),
        settle: () => projected(service, signal),
      };
      const reference = bare(rate);
      const turns = await interleave([answered, reference], longer, signal);
      if (gaps[0]) throw gaps[0];
      const of = ({ name }: Side) => turns.get(name) ?? [];
      const theirs = { name: reference.name, turns: of(reference) };
      const ours = (name: string, of: Turn[]) =>
        (['p50', 'p99'] as const).map((measure) => compared(row(name, CONNECTIONS, of), of, theirs, measure));
      rows.push(
        ...ours(answered.name, of(answered)),
        ...ours(`${rate} a second, from the request to the consumer`, asked.slice(-plan.turns)),
        row(theirs.name, 1, theirs.turns),
      );
    }
    return rows;
  },
};

/** Starts sessions over HTTP in random scopes; rejects unless the answer is 201. */
function starter(port: number, cleanup: Cleanup) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  cleanup.add(() => agent.destroy());
  const options = { host: '127.0.0.1', port, path: '/v1/sessions', method: 'POST', agent, timeout: 5_000 };
  return () =>
    new Promise<Sent>((resolve, reject) => {
      const asked = performance.now();
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const post = request({ ...options, headers }, (response) => {
        response.resume();
        response.once('end', () => {
          if (response.statusCode !== 201) reject(new Error(`a start was answered ${response.statusCode}`));
          else {
            const name = String(response.headers['ledger-position']);
            resolve({ name, asked, answered: performance.now() });
          }
        });
      });
      post.once('error', reject);
      post.end(JSON.stringify(startBody(randomInt(SCOPES))));
    });
}
